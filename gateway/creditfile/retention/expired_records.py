"""Search for records whose retention is over: SQL selects candidates, `disclosure_terms` decides."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile import disclosure_terms
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_policy import SERIOUS_LIST, context_of
from gateway.creditfile.disclosure_terms import FileContext
from gateway.creditfile.local_dates import day_of, months_after
from gateway.creditfile.records import Record
from gateway.db.engine import to_json
from gateway.db.statements import Statement

CANDIDATE_LIMIT: Final = 10_000
_LEEWAY: Final = timedelta(days=4)  # months differ in length; the clock is exact

# MATERIALIZED, to search by dataset and day first. `r.dataset || ''` matches the index
# `ix_record_retention`, which exists for this statement.
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


def datasets_with_retention(catalogue: Catalogue) -> tuple[str, ...]:
    """Datasets whose bad records are deleted after a term."""
    return tuple(
        code for code in catalogue.codes if catalogue.rules_of(code).retention_months is not None
    )


async def candidate_enterprises(
    connection: AsyncConnection, catalogue: Catalogue, *, now: datetime, after: str = ""
) -> list[str]:
    """Enterprises that may have expired records, by USCC after `after`, at most `CANDIDATE_LIMIT`."""
    values = {"rules": to_json(_rules(catalogue, now)), "after": after, "limit": CANDIDATE_LIMIT}
    return list((await connection.execute(_ENTERPRISES, values)).scalars())


async def find_expired(
    connection: AsyncConnection, usccs: Sequence[str], catalogue: Catalogue, *, now: datetime
) -> list[Record]:
    """Records of these enterprises that must be deleted now."""
    datasets = {*datasets_with_retention(catalogue), SERIOUS_LIST}
    values = {"usccs": list(usccs), "datasets": sorted(datasets)}
    rows = orjson.loads((await connection.execute(_RECORDS, values)).scalar_one())
    by_uscc: dict[str, list[Record]] = {uscc: [] for uscc in usccs}
    for each in map(Record.from_json, rows):
        by_uscc[each.uscc].append(each)
    return [
        each
        for records in by_uscc.values()
        for context in [context_of(_as_if_told(records), catalogue, now)]
        for each in records
        if _is_over(each, catalogue, now, context)
    ]


def _as_if_told(records: Iterable[Record]) -> list[Record]:
    """The records without suspensions: a listing may be told again, what is deleted cannot."""
    return [replace(each, suspended_at=None) for each in records]


def _is_over(record: Record, catalogue: Catalogue, now: datetime, context: FileContext) -> bool:
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    end = disclosure_terms.retention_over_at(record, dataset, rules, context)
    return end is not None and now >= end


def _rules(catalogue: Catalogue, now: datetime) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for code in datasets_with_retention(catalogue):
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
    return rules
