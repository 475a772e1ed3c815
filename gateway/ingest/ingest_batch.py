"""A batch is judged row by row and taken as a whole: what is rejected leaves the others alone.

A delivery never brings a record back: what was repaired or withdrawn stays so, whatever is delivered
under its key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.record_mapping import Problem
from gateway.ingest.copy_batch import Batch, key_of
from gateway.ingest.copy_encoding import liner_for
from gateway.ingest.dataset_rules import USCC
from gateway.ingest.merge import Delivery, merge
from gateway.ingest.results import Outcome, Source, Taken, Warned
from gateway.ingest.validate_row import Judge
from gateway.privacy.field_encryption import Vault

HELD_BY_ANOTHER: Final = Problem(field=USCC, reason="held by another source")
TAKEN: Final = {
    "created": Taken.CREATED,
    "updated": Taken.UPDATED,
    "unchanged": Taken.UNCHANGED,
    "older": Taken.UNCHANGED,
    "foreign": Taken.REJECTED,
}
STAYS: Final = {"repaired": Warned.STAYS_REPAIRED, "withdrawn": Warned.STAYS_WITHDRAWN}


async def take(
    connection: AsyncConnection,
    source: Source,
    dataset: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    catalogue: Catalogue,
    vault: Vault,
) -> tuple[Outcome, ...]:
    """Take a batch in the transaction of `connection`, and say of each row what became of it.

    A row is a mapping of the dataset's fields (JSON values) with `uscc`, and where wanted `key` and
    `source_time`. A source is asked for one dataset in one transaction. Raises
    `UnknownDatasetError`.
    """
    batch = Batch(
        Judge(catalogue, dataset, today=day_of(now)), liner_for(catalogue, dataset, source, vault)
    )
    batch.add(0, rows)
    delivery = Delivery(
        source=source, dataset=dataset, catalogue_version=catalogue.version, now=now
    )
    merging = await merge(connection, delivery, batch.payload())
    found = await merging.outcomes()
    outcomes = {row["row"]: _outcome(row, batch) for row in found}
    held = {key_of(row["uscc"], row["natural_key"]): outcomes[row["row"]] for row in found}
    for number, problems in batch.rejected.items():
        outcomes[number] = Outcome(row=number, outcome=Taken.REJECTED, problems=problems)
    for number, key in batch.superseded.items():
        outcomes[number] = _superseded(number, held[key], batch)
    return tuple(outcomes[number] for number in sorted(outcomes))


def _outcome(found: Mapping[str, Any], batch: Batch) -> Outcome:
    verdict, before = found["verdict"], found["held_version"]
    made = Outcome(
        row=found["row"], outcome=TAKEN[verdict], key=found["natural_key"], uscc=found["uscc"]
    )
    if verdict == "foreign":
        return replace(made, problems=(HELD_BY_ANOTHER,))
    warnings = list(batch.warned.get(found["row"], ()))
    warnings += [Warned.OLDER] if verdict == "older" else []
    warnings += [STAYS[found["mark"]]] if found["mark"] in STAYS else []
    return replace(
        made,
        record_id=found["record_id"],
        version=1 if before is None else before + (verdict == "updated"),
        warnings=tuple(warnings),
        masked=batch.masked.get(found["row"], ()),
    )


def _superseded(number: int, later: Outcome, batch: Batch) -> Outcome:
    """What holds now is the later row's."""
    warnings = (*batch.warned.get(number, ()), Warned.SUPERSEDED)
    return replace(
        later,
        row=number,
        outcome=Taken.UNCHANGED,
        warnings=warnings,
        masked=batch.masked.get(number, ()),
        problems=(),
    )
