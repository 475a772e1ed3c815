"""A correction is judged as a delivery is: the record with its corrected fields, taken as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import DatasetOf
from gateway.creditfile.natural_keys import folded
from gateway.creditfile.personal_fields import open_of_record
from gateway.creditfile.record_mapping import FieldProblem
from gateway.creditfile.records import Record
from gateway.db.statements import Statement
from gateway.ingest.dataset_rules import MEMBERS, SOURCE_TIME, USCC
from gateway.ingest.ingest_batch import take
from gateway.ingest.results import BatchResult, RowOutcome, Source
from gateway.privacy.field_encryption import Vault

NOTHING: Final = FieldProblem(field="fields", reason="missing")
OF_THE_KEY: Final = "part of the key: withdraw the record and deliver it under the right one"

_WITH_REASON: Final = Statement("""
    UPDATE record_history AS h
       SET change = 'corrected', reason = c.reason, decided_on = c.decided_on
      FROM unnest(CAST(:usccs AS text[]), CAST(:record_ids AS text[]), CAST(:versions AS integer[]),
                  CAST(:reasons AS text[]), CAST(:days AS date[]))
        AS c(uscc, record_id, version, reason, decided_on)
     WHERE h.uscc = c.uscc AND h.record_id = c.record_id AND h.version = c.version""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is to be corrected in a record that its source holds; `row` is its place in the call."""

    row: int
    record: Record
    fields: Mapping[str, Any] = field(repr=False)
    reason: str
    decided_on: date


def key_problem(
    dataset: DatasetOf, record: Record, fields: Mapping[str, Any]
) -> FieldProblem | None:
    """Why these cannot be corrected fields of this record: who it is about and its key stay."""
    if not fields:
        return NOTHING
    for name in (*MEMBERS, *dataset.key):
        if name in fields and not (name in dataset.key and _is_same_part(name, record, fields)):
            return FieldProblem(field=name, reason=OF_THE_KEY)
    return None


def _is_same_part(name: str, record: Record, fields: Mapping[str, Any]) -> bool:
    """Whether it is only spelled differently."""
    return folded(str(fields[name])) == folded(str(record.fields.get(name)))


async def correct(  # what taking needs
    connection: AsyncConnection,
    source: Source,
    corrections: Sequence[Correction],
    *,
    now: datetime,
    catalogue: Catalogue,
    vault: Vault,
) -> list[RowOutcome]:
    """Take the corrected records, with the reasons in their history."""
    outcomes: list[RowOutcome] = []
    for dataset in sorted({each.record.dataset for each in corrections}):
        own = [each for each in corrections if each.record.dataset == dataset]
        rows = [_row(each, vault, now) for each in own]
        taken = await take(
            connection, source, dataset, rows, now=now, catalogue=catalogue, vault=vault
        )
        outcomes += [replace(each, row=own[each.row].row) for each in taken]
        await _give_reasons(connection, own, taken)
    return outcomes


def _row(of: Correction, vault: Vault, now: datetime) -> dict[str, Any]:
    """The record as it would be delivered if it were delivered right."""
    record = of.record
    whole = {**record.fields, **open_of_record(vault, record), **of.fields}
    moment = max(now, record.source_time).isoformat()
    return {**whole, USCC: record.uscc, SOURCE_TIME: moment}


async def _give_reasons(
    connection: AsyncConnection, corrections: Sequence[Correction], taken: Sequence[RowOutcome]
) -> None:
    changed = [
        (of, outcome)
        for of, outcome in zip(corrections, taken, strict=True)
        if outcome.outcome is BatchResult.UPDATED
    ]
    await connection.execute(
        _WITH_REASON,
        {
            "usccs": [of.record.uscc for of, _ in changed],
            "record_ids": [of.record.record_id for of, _ in changed],
            "versions": [of.record.version for of, _ in changed],
            "reasons": [of.reason for of, _ in changed],
            "days": [of.decided_on for of, _ in changed],
        },
    )
