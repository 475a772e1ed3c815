"""What one source holds: its own records by their natural keys, and nobody else's."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRecord:
    """A record as its source names it."""

    dataset: str
    uscc: str
    key: str


async def held_by(
    connection: AsyncConnection, source_id: str, named: Sequence[NamedRecord]
) -> Mapping[NamedRecord, Record]:
    """Those of the named records that the source holds."""
    found = await connection.execute(
        _HELD,
        {
            "usccs": [each.uscc for each in named],
            "datasets": [each.dataset for each in named],
            "keys": [each.key for each in named],
            "source": source_id,
        },
    )
    records = (Record.from_json(orjson.loads(row)) for row in found.scalars())
    return {
        NamedRecord(dataset=each.dataset, uscc=each.uscc, key=each.natural_key): each
        for each in records
    }
