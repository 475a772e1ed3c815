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
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.copy_batch import CopyBatch, key_of
from gateway.ingest.copy_encoding import liner_for
from gateway.ingest.dataset_rules import USCC
from gateway.ingest.merge import MergeInput, merge
from gateway.ingest.results import BatchResult, RowOutcome, RowWarning, Source
from gateway.ingest.validate_row import RowValidator
from gateway.privacy.field_encryption import Vault

HELD_BY_ANOTHER: Final = FieldProblem(field=USCC, reason="held by another source")
TAKEN: Final = {
    "created": BatchResult.CREATED,
    "updated": BatchResult.UPDATED,
    "unchanged": BatchResult.UNCHANGED,
    "older": BatchResult.UNCHANGED,
    "foreign": BatchResult.REJECTED,
}
STAYS: Final = {"repaired": RowWarning.STAYS_REPAIRED, "withdrawn": RowWarning.STAYS_WITHDRAWN}


async def take(
    connection: AsyncConnection,
    source: Source,
    dataset: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    catalogue: Catalogue,
    vault: Vault,
) -> tuple[RowOutcome, ...]:
    """Take a batch in the transaction of `connection`, and say of each row what became of it.

    A row is a mapping of the dataset's fields (JSON values) with `uscc`, and where wanted `key` and
    `source_time`. A source is asked for one dataset in one transaction. Raises
    `UnknownDatasetError`.
    """
    batch = CopyBatch(
        RowValidator(catalogue, dataset, today=day_of(now)),
        liner_for(catalogue, dataset, source, vault),
    )
    batch.add(0, rows)
    delivery = MergeInput(
        source=source, dataset=dataset, catalogue_version=catalogue.version, now=now
    )
    merging = await merge(connection, delivery, batch.payload())
    found = await merging.outcomes()
    outcomes = {row["row"]: _outcome(row, batch) for row in found}
    held = {key_of(row["uscc"], row["natural_key"]): outcomes[row["row"]] for row in found}
    for number, problems in batch.rejected.items():
        outcomes[number] = RowOutcome(row=number, outcome=BatchResult.REJECTED, problems=problems)
    for number, key in batch.superseded.items():
        outcomes[number] = _superseded(number, held[key], batch)
    return tuple(outcomes[number] for number in sorted(outcomes))


def _outcome(found: Mapping[str, Any], batch: CopyBatch) -> RowOutcome:
    verdict, before = found["verdict"], found["held_version"]
    made = RowOutcome(
        row=found["row"], outcome=TAKEN[verdict], key=found["natural_key"], uscc=found["uscc"]
    )
    if verdict == "foreign":
        return replace(made, problems=(HELD_BY_ANOTHER,))
    warnings = list(batch.warned.get(found["row"], ()))
    warnings += [RowWarning.OLDER] if verdict == "older" else []
    warnings += [STAYS[found["mark"]]] if found["mark"] in STAYS else []
    return replace(
        made,
        record_id=found["record_id"],
        version=1 if before is None else before + (verdict == "updated"),
        warnings=tuple(warnings),
        masked=batch.masked.get(found["row"], ()),
    )


def _superseded(number: int, later: RowOutcome, batch: CopyBatch) -> RowOutcome:
    """What holds now is the later row's."""
    warnings = (*batch.warned.get(number, ()), RowWarning.SUPERSEDED)
    return replace(
        later,
        row=number,
        outcome=BatchResult.UNCHANGED,
        warnings=warnings,
        masked=batch.masked.get(number, ()),
        problems=(),
    )
