"""Ends of publicity that were delivered otherwise than the rules give (R2), of a source's month.

The rules are Python's, so these records alone are read one by one: those of datasets with an end of
publicity, first received in the month.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.penalty_publicity import Penalty, last_day_of_publicity
from gateway.creditfile.records import Record
from gateway.data_quality.figures import Count
from gateway.db.statements import Statement

_WITH_PUBLICITY: Final = Statement("""
SELECT CAST(to_jsonb(r) - 'personal' - 'digests' AS text) AS held
  FROM record AS r
 WHERE r.source_id = CAST(:source AS text) AND r.version = 1
   AND r.received_at >= CAST(:start AS timestamptz) AND r.received_at < CAST(:end AS timestamptz)
   AND r.dataset = ANY(CAST(:datasets AS text[]))
UNION ALL
SELECT CAST(h.row - 'digests' AS text)
  FROM record_history AS h
 WHERE h.row ->> 'source_id' = CAST(:source AS text) AND h.version = 1
   AND h.replaced_at >= CAST(:start AS timestamptz)
   AND CAST(h.row ->> 'received_at' AS timestamptz) >= CAST(:start AS timestamptz)
   AND CAST(h.row ->> 'received_at' AS timestamptz) < CAST(:end AS timestamptz)
   AND h.row ->> 'dataset' = ANY(CAST(:datasets AS text[]))""")


@dataclass(slots=True, kw_only=True)
class _Tally:
    records: int = 0
    wrong: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)


async def count_wrong_ends(
    connection: AsyncConnection, values: Mapping[str, Any], catalogue: Catalogue
) -> Mapping[str, Count]:
    """Records that name a wrong end, by dataset. A record that names none is not wrong."""
    datasets = [code for code in catalogue.codes if catalogue.rules_of(code).has_publicity]
    found: defaultdict[str, _Tally] = defaultdict(_Tally)
    wanted = {name: values[name] for name in ("source", "start", "end")} | {"datasets": datasets}
    rows = await connection.stream_scalars(
        _WITH_PUBLICITY,
        wanted,
    )
    async for row in rows:
        record = Record.from_json(orjson.loads(row))
        tally = found[record.dataset]
        if _is_wrong(record, catalogue):
            tally.records += 1
            tally.wrong.add(record.uscc)
        else:
            tally.others.add(record.uscc)
    return {
        dataset: Count(records=each.records, enterprises=len(each.wrong), others=len(each.others))
        for dataset, each in found.items()
    }


def _is_wrong(record: Record, catalogue: Catalogue) -> bool:
    end = record.publicity_ends_on
    if end is None:
        return False
    rules = catalogue.rules_of(record.dataset)
    return last_day_of_publicity(Penalty.from_record(record), rules) != end
