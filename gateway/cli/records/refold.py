"""`record refold` and `record merged`: convert natural keys to the current folding; list merged records."""

import asyncio
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.exit import fail
from gateway.cli.operator_session import long_work, parse_id, plain_errors, query
from gateway.cli.personal_keys import VaultFile, keys_in
from gateway.cli.printing import print_table
from gateway.cli.whole_file import whole_file
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.versions import in_force
from gateway.creditfile.natural_keys import KEYS_VERSION
from gateway.creditfile.rekey_records import (
    BATCH_ENTERPRISES,
    MergedRecord,
    UnreadableError,
    merged_records,
    refold_keys,
)
from gateway.pages.csv_safe import BOM, escape_formula
from gateway.privacy.field_encryption import Vault

COLUMNS: Final = tuple(each.name for each in fields(MergedRecord))
Reports = Annotated[
    Path | None, typer.Option("--reports", help="A folder for one CSV file for each source.")
]


def refold(
    file: VaultFile,
    reports: Reports = None,
    batch: Annotated[
        int, typer.Option(min=1, max=5000, help="Enterprises in a transaction.")
    ] = BATCH_ENTERPRISES,
    anew: Annotated[
        bool, typer.Option("--anew", help="From the first record on, though it was done.")
    ] = False,
    give_up_unreadable: Annotated[
        bool, typer.Option("--give-up-unreadable", help="Drop personal fields that no key opens.")
    ] = False,
) -> None:
    """Fold the keys of all records anew; can be interrupted and run again. Nothing is taken meanwhile."""
    vault, catalogue = Vault(keys_in(file)), query(in_force)
    try:
        with plain_errors():
            done = asyncio.run(
                _refold(vault, catalogue, batch, anew=anew, give_up_unreadable=give_up_unreadable)
            )
    except UnreadableError as error:
        fail(
            f"{error} Put the key back into the file, or give the fields up: --give-up-unreadable."
        )
    print(
        f"All keys lie under {KEYS_VERSION}: {done['records']:,} records, {done['folded']:,} keys "
        f"folded anew, {done['merged']:,} records became part of another."
    )
    if done["given_up"]:
        print(f"{done['given_up']:,} records have no personal fields any more: no key opened them.")
    merged(reports=reports)


def merged(
    source: Annotated[str | None, typer.Option(help="Of this source only.")] = None,
    reports: Reports = None,
) -> None:
    """Show which records became part of another, for each source to look at."""
    found = query(partial(merged_records, source_id=None if source is None else parse_id(source)))
    if not found:
        print("No record became part of another.")
        return
    if reports is None:
        print_table(COLUMNS, map(astuple, found))
        return
    reports.mkdir(parents=True, exist_ok=True)
    written = []
    for source_id, count in sorted(Counter(each.source_id for each in found).items()):
        path = reports / f"merged-{source_id}.csv"
        _write(path, [each for each in found if each.source_id == source_id])
        written.append((source_id, count, path))
    print_table(("source", "records", "file"), written)


async def _refold(
    vault: Vault, catalogue: Catalogue, batch: int, *, anew: bool, give_up_unreadable: bool
) -> Counter[str]:
    total = Counter[str]()
    async with long_work("Folding keys anew …") as (engine, shown):
        async for done in refold_keys(
            engine,
            vault,
            catalogue,
            now=datetime.now(UTC),
            enterprises=batch,
            anew=anew,
            give_up_unreadable=give_up_unreadable,
        ):
            total.update(asdict(done))
            shown.update(f"{total['records']:,} records seen …")
    return total


def _write(path: Path, found: Sequence[MergedRecord]) -> None:
    with whole_file(path) as file:
        file.write(BOM)
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS)
        lines.writerows([escape_formula(str(value)) for value in astuple(each)] for each in found)
