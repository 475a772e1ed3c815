"""Corrections of records: the whole record with its corrected fields is ingested as a delivery is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.column_names import ROW_MEMBERS, SOURCE_TIME, USCC
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.natural_keys import fold
from gateway.creditfile.personal_fields import open_record
from gateway.creditfile.records import Record
from gateway.db.statements import Statement
from gateway.ingest.ingest_batch import ingest_rows
from gateway.ingest.results import BatchResult, RowOutcome, Source
from gateway.privacy.field_encryption import Vault

NO_FIELDS: Final = FieldProblem(field="fields", code=ProblemCode.MISSING)

_SET_REASONS: Final = Statement("""
    UPDATE record_history AS h
       SET change = 'corrected', reason = c.reason, decided_on = c.decided_on
      FROM unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[]), CAST(:versions AS integer[]),
                  CAST(:reasons AS text[]), CAST(:days AS date[]))
        AS c(uscc, record_id, version, reason, decided_on)
     WHERE h.uscc = c.uscc AND h.record_id = c.record_id AND h.version = c.version""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Corrected fields of a record of the source; `row` is its position in the call."""

    row: int
    record: Record
    fields: Mapping[str, Any] = field(repr=False)
    reason: str
    decided_on: date


def key_problem(
    dataset: DatasetDefinition, record: Record, fields: Mapping[str, Any]
) -> FieldProblem | None:
    """Why a correction is refused: no fields, or one that would change the subject or the key."""
    if not fields:
        return NO_FIELDS
    for name in (*ROW_MEMBERS, *dataset.key):
        if name in fields and not (name in dataset.key and _is_same_part(name, record, fields)):
            return FieldProblem(field=name, code=ProblemCode.KEY_FIELD)
    return None


def _is_same_part(name: str, record: Record, fields: Mapping[str, Any]) -> bool:
    """True if the corrected key field is the same after folding."""
    return fold(str(fields[name])) == fold(str(record.fields.get(name)))


async def apply_corrections(
    connection: AsyncConnection,
    source: Source,
    corrections: Sequence[Correction],
    *,
    now: datetime,
    catalogue: Catalogue,
    vault: Vault,
) -> list[RowOutcome]:
    """Ingest the corrected records, and write the reasons into their history."""
    outcomes: list[RowOutcome] = []
    for dataset in sorted({each.record.dataset for each in corrections}):
        of_dataset = [each for each in corrections if each.record.dataset == dataset]
        rows = [_row(each, vault, now) for each in of_dataset]
        results = await ingest_rows(
            connection, source, dataset, rows, now=now, catalogue=catalogue, vault=vault
        )
        outcomes += [replace(each, row=of_dataset[each.row].row) for each in results]
        await _write_reasons(connection, of_dataset, results)
    return outcomes


def _row(correction: Correction, vault: Vault, now: datetime) -> dict[str, Any]:
    """The corrected record as a delivered row."""
    record = correction.record
    whole = {**record.fields, **open_record(vault, record), **correction.fields}
    moment = max(now, record.source_time).isoformat()
    return {**whole, USCC: record.uscc, SOURCE_TIME: moment}


async def _write_reasons(
    connection: AsyncConnection, corrections: Sequence[Correction], results: Sequence[RowOutcome]
) -> None:
    changed = [
        correction
        for correction, outcome in zip(corrections, results, strict=True)
        if outcome.outcome is BatchResult.UPDATED
    ]
    values = {
        "usccs": [each.record.uscc for each in changed],
        "record_ids": [each.record.record_id for each in changed],
        "versions": [each.record.version for each in changed],
        "reasons": [each.reason for each in changed],
        "days": [each.decided_on for each in changed],
    }
    await connection.execute(_SET_REASONS, values)
