"""Which records' retention is over: SQL narrows the search, and `clock` decides."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile import clock
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import SERIOUS_LIST, is_on_serious_list
from gateway.creditfile.local_dates import day_of, months_after
from gateway.creditfile.records import Record
from gateway.db.engine import to_json
from gateway.db.statements import Statement

SEARCHED: Final = 10_000
_LEEWAY: Final = timedelta(days=4)  # months differ in length; the clock is exact

# By dataset and day first, whatever the planner would think of the order and the limit. The code is
# written as in the index `ix_record_retention`, which is for this statement alone.
_ENTERPRISES: Final = Statement("""
    WITH candidate AS MATERIALIZED (
        SELECT DISTINCT r.uscc
        FROM jsonb_to_recordset(CAST(:rules AS jsonb))
            AS rule(dataset text, last date, field text, bad jsonb)
        JOIN record r ON r.dataset || '' = rule.dataset
            AND coalesce(r.determined_on, r.decided_on) <= rule.last
        WHERE rule.field IS NULL OR jsonb_exists(rule.bad, r.fields ->> rule.field))
    SELECT uscc FROM candidate WHERE uscc > CAST(:after AS text) ORDER BY uscc LIMIT :limit""")

_RECORDS: Final = Statement("""
    SELECT CAST(coalesce(json_agg(to_json(r) ORDER BY r.uscc, r.record_id), '[]') AS text)
    FROM record r
    WHERE r.uscc = ANY(CAST(:usccs AS text[])) AND r.dataset = ANY(CAST(:datasets AS text[]))""")


def kept_for_a_time(catalogue: Catalogue) -> tuple[str, ...]:
    """The datasets whose bad records are deleted one day."""
    return tuple(
        code for code in catalogue.codes if catalogue.rules_of(code).retention_months is not None
    )


async def enterprises(
    connection: AsyncConnection, catalogue: Catalogue, *, now: datetime, after: str = ""
) -> list[str]:
    """Enterprises that may have such records, by code, at most `SEARCHED`, behind `after`."""
    values = {"rules": to_json(_rules(catalogue, now)), "after": after, "limit": SEARCHED}
    return list((await connection.execute(_ENTERPRISES, values)).scalars())


async def over(
    connection: AsyncConnection, usccs: Sequence[str], catalogue: Catalogue, *, now: datetime
) -> list[Record]:
    """Those records of these enterprises that are to be deleted now."""
    datasets = {*kept_for_a_time(catalogue), SERIOUS_LIST}
    values = {"usccs": list(usccs), "datasets": sorted(datasets)}
    rows = orjson.loads((await connection.execute(_RECORDS, values)).scalar_one())
    found = [Record.from_json(row) for row in rows]
    by_uscc: dict[str, list[Record]] = {uscc: [] for uscc in usccs}
    for each in found:
        by_uscc[each.uscc].append(each)
    return [
        each
        for records in by_uscc.values()
        for listed in [is_on_serious_list(records, catalogue, now)]
        for each in records
        if _is_over(each, catalogue, now, listed=listed)
    ]


def by_dataset(records: Iterable[Record]) -> dict[str, int]:
    """How many of each."""
    return dict(sorted(Counter(each.dataset for each in records).items()))


def _is_over(record: Record, catalogue: Catalogue, now: datetime, *, listed: bool) -> bool:
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    end = clock.retention_over_at(record, dataset, rules, on_serious_list=listed)
    return end is not None and now >= end


def _rules(catalogue: Catalogue, now: datetime) -> list[dict[str, Any]]:
    rules = []
    for code in kept_for_a_time(catalogue):
        dataset, months = catalogue.dataset(code), catalogue.rules_of(code).retention_months
        bad = dataset.bad_when if dataset.tone != "bad" else None
        rules.append(
            {
                "dataset": code,
                "last": (months_after(day_of(now), -(months or 0)) + _LEEWAY).isoformat(),
                "field": bad.field if bad else None,
                "bad": list(bad.values) if bad else [],
            }
        )
    return orjson.loads(orjson.dumps(rules))  # type: ignore[no-any-return]  # plain JSON
