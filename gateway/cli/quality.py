"""`quality`: the monthly bulletin of data quality as page, CSV and PDF."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.cli.exit import fail
from gateway.cli.operator_session import parse_id, query
from gateway.cli.printing import print_table
from gateway.cli.whole_file import write_whole
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.versions import in_force
from gateway.data_quality.bulletin import Bulletin, make_bulletin
from gateway.data_quality.bulletin_text import document_of
from gateway.data_quality.comparison_findings import (
    NotFindingsError,
    count_findings,
    keep_counts,
)
from gateway.data_quality.figures import Count, Fault
from gateway.data_quality.month import Month
from gateway.data_quality.page import bulletin_page
from gateway.data_quality.pdf import bulletin_pdf
from gateway.data_quality.rules import published_rules
from gateway.data_quality.sources import months_of_sources
from gateway.data_quality.table import bulletin_csv
from gateway.pages.chinese_font import find_font

app = typer.Typer(
    no_args_is_help=True, help="Data quality of sources, and its monthly bulletin (数据质量通报)."
)


@app.callback()
def _group() -> None:
    """Data quality of sources, and its monthly bulletin (数据质量通报)."""


@app.command()
def bulletin(
    month: Annotated[str, typer.Option(help="The month in Shanghai, as 2026-10.")],
    out: Annotated[Path, typer.Option(help="The folder to write into; made if missing.")],
    font: Annotated[
        Path | None,
        typer.Option(
            envvar="XINQIAO_FONT", help="A font with Chinese; else Noto Sans CJK where it is."
        ),
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Of a month that is not over; not for publication.")
    ] = False,
) -> None:
    """Write the bulletin (通报) of a month that is over: data-quality-2026-10.html, .csv and .pdf."""
    wanted = _month(month)
    if not draft and wanted == Month.at(datetime.now(UTC)):
        fail(f"{month} is not over: two of its bulletins would tell small counts. Give --draft.")
    made, catalogue = query(lambda connection: _read(connection, wanted))
    try:
        written = _write(made, catalogue, out, find_font(font), is_draft=draft)
    except OSError as error:
        fail(f"The bulletin could not be written ({type(error).__name__}).")
    print_table(
        ("", "数源单位 source", "得分 score"),
        ((each.rank, each.name, each.score.total) for each in made.ranked),
        title=f"数据质量 Data quality {wanted}",
        figures=1,
    )
    for file in written:
        print(file)
    if len(written) == 2:  # noqa: PLR2004  # page and CSV
        print("No PDF: install fonts-noto-cjk, or name a font with Chinese with --font.")


@app.command()
def findings(
    file: Annotated[Path, typer.Argument(help="What `compare --csv` has written.")],
    month: Annotated[str, typer.Option(help="The month whose figures it counts in, as 2026-10.")],
    dataset: Annotated[str, typer.Option(help="The dataset that was compared.")],
    source: Annotated[str, typer.Option(help="The source's id, that of its client.")],
    side: Annotated[str, typer.Option(help="What the comparison called it.")],
) -> None:
    """Count what a comparison found into a source's month, in place of an earlier one's."""
    wanted = _month(month)
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            counts = count_findings(lines, side)
    except NotFindingsError as error:
        fail(str(error))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read ({type(error).__name__}).")
    if not query(lambda connection: _keep(connection, wanted, parse_id(source), dataset, counts)):
        fail(f"There is no dataset {dataset}.")
    for fault, count in counts.items():
        print(f"{fault.value}: {count.records:,} records of {count.enterprises:,} enterprises")


async def _keep(
    connection: AsyncConnection,
    month: Month,
    source: str,
    dataset: str,
    counts: Mapping[Fault, Count],
) -> bool:
    if not (await in_force(connection)).has_dataset(dataset):
        return False
    await keep_counts(connection, month, source, dataset, counts)
    return True


def _month(text: str) -> Month:
    month = Month.parse(text)
    if month is None or month > Month.at(datetime.now(UTC)):
        fail("--month is a month that has begun, as 2026-10.")
    return month


async def _read(connection: AsyncConnection, month: Month) -> tuple[Bulletin, Catalogue]:
    catalogue, rules = await in_force(connection), published_rules()
    found = months_of_sources(connection, month, catalogue=catalogue, rules=rules)
    return make_bulletin(month, [each async for each in found], rules), catalogue


def _write(
    made: Bulletin, catalogue: Catalogue, out: Path, font: Path | None, *, is_draft: bool
) -> list[Path]:
    """Write the files and return their paths; without a font there is no PDF."""
    out.mkdir(parents=True, exist_ok=True)
    name = f"data-quality-{made.month}{'-draft' if is_draft else ''}"
    documents = [
        document_of(made, catalogue, language, is_draft=is_draft) for language in ("zh", "en")
    ]
    page, table, pdf = (out / f"{name}.{form}" for form in ("html", "csv", "pdf"))
    write_whole(page, bulletin_page(documents))
    write_whole(table, bulletin_csv(made, catalogue))
    if font is None:
        return [page, table]
    pdf.write_bytes(bulletin_pdf(documents, font))
    return [page, table, pdf]
