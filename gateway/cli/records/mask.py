"""`record mask`: mask personal numbers in stored texts as ingest masks them today."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.cli.operator_session import long_work, plain_errors, query
from gateway.cli.printing import print_table
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.mask_held_texts import MASK_BATCH_ROWS, mask_held_texts


def mask(
    after: Annotated[
        str, typer.Option(help="Go on behind this USCC, in each table; else from the first row.")
    ] = "",
    batch: Annotated[
        int, typer.Option(min=1, max=10_000, help="Rows in a transaction.")
    ] = MASK_BATCH_ROWS,
) -> None:
    """Mask personal numbers in texts that were taken before intake knew them; can be run again."""
    catalogue = query(in_force)
    with plain_errors():
        rows, changed, keys = asyncio.run(_mask(catalogue, batch, after))
    print(f"{sum(rows.values()):,} rows looked at, {sum(changed.values()):,} changed.")
    if changed:
        rows_changed = sorted(changed.items())
        print_table(("table", "rows changed"), rows_changed, figures=1)
    for (source, dataset), count in sorted(keys.items()):
        print(
            f"{source}, {dataset}: {count:,} keys have a personal number in them. They are masked when "
            "they are told; the source withdraws these records and delivers them under other keys."
        )


async def _mask(
    catalogue: Catalogue, batch: int, after: str
) -> tuple[Counter[str], Counter[str], Counter[tuple[str, str]]]:
    rows, changed, keys = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    today = day_of(datetime.now(UTC))
    async with long_work("Masking …") as (engine, shown):
        async for done in mask_held_texts(engine, catalogue, today=today, batch=batch, after=after):
            table = done.table
            rows[table] += done.rows
            changed[table] += done.changed
            if table == "record":
                keys.update(done.keys)
            shown.update(f"{table}: {rows[table]:,} rows, up to {done.last} …")
    return rows, +changed, keys
