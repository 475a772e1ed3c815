"""Overdue listings: a source's listings whose term is over and whose removal it has not reported.

They are disclosed no more; the source is told, so that its own list and this file agree again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_terms import ends_at
from gateway.creditfile.local_dates import day_of, months_after
from gateway.creditfile.records import Record
from gateway.db.statements import Statement

MAX_LISTED: Final = 1_000
# `r.dataset || ''` matches the index `ix_record_retention`. A listing's own last day may come before
# the shortest term is over.
_OPEN: Final = Statement("""
    SELECT CAST(to_jsonb(r) AS text) FROM record AS r
     WHERE r.source_id = CAST(:source AS text) AND r.dataset || '' = ANY(CAST(:datasets AS text[]))
       AND (coalesce(r.determined_on, r.decided_on) <= CAST(:last AS date)
            OR r.valid_to < CAST(:today AS date))
       AND r.removed_on IS NULL AND r.repaired_at IS NULL AND r.withdrawn_at IS NULL
       AND r.suspended_at IS NULL
     ORDER BY r.decided_on, r.uscc, r.record_id""")


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueListing:
    """A listing that its source still reports, with the last day of its term."""

    dataset: str
    uscc: str
    key: str
    ended_on: date


def listings_with_a_term(catalogue: Catalogue) -> tuple[str, ...]:
    """Datasets of lists that end by a term."""
    rules = ((code, catalogue.rules_of(code)) for code in catalogue.codes)
    return tuple(code for code, each in rules if each.until_removed and each.term is not None)


async def find_overdue(
    connection: AsyncConnection, source_id: str, catalogue: Catalogue, *, now: datetime
) -> Sequence[OverdueListing]:
    """The source's overdue listings, oldest first, at most `MAX_LISTED`."""
    datasets = listings_with_a_term(catalogue)
    terms = [rules.term.months for rules in map(catalogue.rules_of, datasets) if rules.term]
    if not terms:
        return []
    values = {
        "source": source_id,
        "datasets": list(datasets),
        "last": months_after(day_of(now), -min(terms)),
        "today": day_of(now),
    }
    found: list[OverdueListing] = []
    rows = await connection.stream_scalars(_OPEN, values)
    async for row in rows:
        record = Record.from_json(orjson.loads(row))
        dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
        end = ends_at(record, dataset, rules)
        if end is not None and end <= now:
            found.append(
                OverdueListing(
                    dataset=record.dataset,
                    uscc=record.uscc,
                    key=record.natural_key,
                    ended_on=day_of(end) - timedelta(days=1),
                )
            )
        if len(found) == MAX_LISTED:
            break
    return found
