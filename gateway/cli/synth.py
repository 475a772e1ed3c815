"""`synth`: write files of a synthetic province, for trying out ingest at any scale."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.cli.exit import fail


class Form(StrEnum):
    """File formats, by the names of the option."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"


def synth(
    out: Annotated[Path, typer.Option(help="The folder to write to; made if missing.")],
    entities: Annotated[int, typer.Option(min=1, help="How many enterprises.")] = 10_000,
    seed: Annotated[
        int | None,
        typer.Option(
            help="The same seed and day give the same province.",
            show_default="the demo's",
        ),
    ] = None,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day on which it is seen; today by default."),
    ] = None,
    parts: Annotated[
        int, typer.Option(min=1, max=64, help="Files per dataset, each made by its own process.")
    ] = 2,
    form: Annotated[Form, typer.Option("--format", help="How the files are written.")] = Form.CSV,
) -> None:
    """Write a synthetic province as files that `ingest` takes, in constant memory."""
    from datetime import UTC

    from gateway.cli.printing import counting
    from gateway.creditfile.local_dates import day_of
    from gateway.ingest.readers import parquet_support
    from gateway.synthetic.demo.state import SEED
    from gateway.synthetic.files.export import ExportPlan, FinishedError, write_province
    from gateway.synthetic.files.writers import Format

    if form is Form.PARQUET and not parquet_support.is_installed():
        fail("Parquet files need pyarrow: install the extra xinqiao-gateway[parquet].")
    plan = ExportPlan(
        folder=out,
        entities=entities,
        seed=SEED if seed is None else seed,
        today=day_of(datetime.now(UTC)) if today is None else today.date(),
        parts=min(parts, entities),
        form=Format(form.value),
    )
    try:
        with counting("Writing a synthetic province", entities, Console(stderr=True)) as tell:
            made = write_province(plan, tell)
    except FinishedError as error:
        fail(str(error))
    size = sum(file.bytes for file in made.files) / 1e6
    print(f"{entities:,} enterprises, {made.records:,} records, {size:,.1f} MB in {out}")
