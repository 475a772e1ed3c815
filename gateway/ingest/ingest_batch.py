"""Ingest of one batch of rows in the caller's transaction; rejected rows do not affect the others.

A delivery never reactivates a record: a repaired, suspended or withdrawn one stays so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.column_names import USCC
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.local_dates import day_of
from gateway.ingest.merge.copy_batch import CopyBatch, batch_key
from gateway.ingest.merge.copy_encoding import row_encoder
from gateway.ingest.merge.merge_batch import MergeInput, merge
from gateway.ingest.results import BatchResult, RowOutcome, RowWarning, Source
from gateway.ingest.validation.validate_row import RowValidator
from gateway.privacy.field_encryption import Vault

HELD_BY_ANOTHER: Final = FieldProblem(field=USCC, code=ProblemCode.HELD_BY_ANOTHER)
RESULT_OF_VERDICT: Final = {
    "created": BatchResult.CREATED,
    "updated": BatchResult.UPDATED,
    "unchanged": BatchResult.UNCHANGED,
    "older": BatchResult.UNCHANGED,
    "foreign": BatchResult.REJECTED,
}
WARNING_OF_MARK: Final = {
    "repaired": RowWarning.STAYS_REPAIRED,
    "suspended": RowWarning.STAYS_SUSPENDED,
    "withdrawn": RowWarning.STAYS_WITHDRAWN,
}


async def ingest_rows(
    connection: AsyncConnection,
    source: Source,
    dataset: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    catalogue: Catalogue,
    vault: Vault,
) -> tuple[RowOutcome, ...]:
    """Validate and merge a batch in the transaction of `connection`; one outcome for each row.

    A row is a mapping of the dataset's fields (JSON values) with `uscc`, and optionally `key` and
    `source_time`. Ingest one dataset per transaction. Raises `UnknownDatasetError`.
    """
    batch = CopyBatch(
        RowValidator(catalogue, dataset, today=day_of(now)),
        row_encoder(catalogue, dataset, source, vault),
    )
    batch.add(0, rows)
    merge_input = MergeInput(source=source, dataset=dataset, catalogue=catalogue, now=now)
    merged = await merge(connection, merge_input, batch.payload())
    found = await merged.outcomes()
    outcomes = {row["row"]: _outcome(row, batch) for row in found}
    by_key = {batch_key(row["uscc"], row["natural_key"]): outcomes[row["row"]] for row in found}
    for number, problems in batch.rejected.items():
        outcomes[number] = RowOutcome(row=number, outcome=BatchResult.REJECTED, problems=problems)
    for number, key in batch.superseded.items():
        outcomes[number] = _superseded(number, by_key[key], batch)
    return tuple(outcomes[number] for number in sorted(outcomes))


def _outcome(found: Mapping[str, Any], batch: CopyBatch) -> RowOutcome:
    verdict, version = found["verdict"], found["held_version"]
    outcome = RowOutcome(
        row=found["row"],
        outcome=RESULT_OF_VERDICT[verdict],
        key=found["natural_key"],
        uscc=found["uscc"],
    )
    if verdict == "foreign":
        return replace(outcome, problems=(HELD_BY_ANOTHER,))
    warnings = list(batch.warned.get(found["row"], ()))
    warnings += [RowWarning.OLDER] if verdict == "older" else []
    warnings += [WARNING_OF_MARK[found["mark"]]] if found["mark"] in WARNING_OF_MARK else []
    return replace(
        outcome,
        record_id=found["record_id"],
        version=1 if version is None else version + (verdict == "updated"),
        warnings=tuple(warnings),
        masked=batch.masked.get(found["row"], ()),
    )


def _superseded(number: int, later: RowOutcome, batch: CopyBatch) -> RowOutcome:
    """Outcome of a row replaced by a later one: the later row's record and version."""
    warnings = (*batch.warned.get(number, ()), RowWarning.SUPERSEDED)
    return replace(
        later,
        row=number,
        outcome=BatchResult.UNCHANGED,
        warnings=warnings,
        masked=batch.masked.get(number, ()),
        problems=(),
    )
