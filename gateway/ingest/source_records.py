"""Lookup of a source's own records by natural key, or of one by its id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.records import Record
from gateway.db.statements import Statement

_HELD: Final = Statement("""
    SELECT CAST(to_jsonb(r) AS text) FROM record AS r
      JOIN unnest(CAST(:usccs AS text[]), CAST(:datasets AS text[]), CAST(:keys AS text[]))
        AS named(uscc, dataset, key)
        ON r.uscc = named.uscc AND r.dataset = named.dataset AND r.natural_key = named.key
     WHERE r.source_id = CAST(:source AS text)""")


_ONE: Final = Statement("""
    SELECT CAST(to_jsonb(r) AS text) FROM record AS r
     WHERE r.uscc = :uscc AND r.record_id = :record_id AND r.source_id = CAST(:source AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReference:
    """A record as its source refers to it."""

    dataset: str
    uscc: str
    key: str


async def find_own_records(
    connection: AsyncConnection, source_id: str, references: Sequence[RecordReference]
) -> Mapping[RecordReference, Record]:
    """The referenced records that belong to the source."""
    values = {
        "usccs": [each.uscc for each in references],
        "datasets": [each.dataset for each in references],
        "keys": [each.key for each in references],
        "source": source_id,
    }
    found = await connection.execute(_HELD, values)
    records = (Record.from_json(orjson.loads(row)) for row in found.scalars())
    return {
        RecordReference(dataset=each.dataset, uscc=each.uscc, key=each.natural_key): each
        for each in records
    }


async def find_own_record(
    connection: AsyncConnection, source_id: str, uscc: str, record_id: str
) -> Record | None:
    """The record of this id, if it belongs to the source."""
    values = {"uscc": uscc, "record_id": record_id, "source": source_id}
    row = (await connection.execute(_ONE, values)).scalar_one_or_none()
    return None if row is None else Record.from_json(orjson.loads(row))
