"""Notices to enterprises that a bad record is new in their file (两书同达), from a merged batch.

Only for enterprises that can be reached, and for what counts as bad: not for what is exempt, has ended or
the enterprise may not see itself. A record that is published from a later day on counts already.
"""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile import disclosure_terms
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.local_dates import day_of, midnight
from gateway.creditfile.records import Record
from gateway.creditfile.repair_terms import repairable_from
from gateway.notices.kinds import NoticeKind
from gateway.notices.outbox import RecordEvent, note_records


def is_noticed(dataset: str, catalogue: Catalogue) -> bool:
    """True if records of a dataset can be bad information that its enterprise sees."""
    return catalogue.dataset(dataset).is_ever_bad and bool(
        catalogue.fields_for(dataset, Audience.ENTERPRISE)
    )


async def note_arrivals(
    connection: AsyncConnection, created: Iterable[Record], catalogue: Catalogue, *, now: datetime
) -> None:
    """Write the notices on these new records of reachable enterprises."""
    events = [
        RecordEvent(
            uscc=each.uscc,
            dataset=each.dataset,
            record_id=each.record_id,
            version=each.version,
            repairable_on=_repairable_on(each, catalogue, now),
        )
        for each in created
        if _counts_as_bad(each, catalogue, now)
    ]
    await note_records(connection, NoticeKind.BAD_RECORD_ARRIVED, events, now=now)


def _repairable_on(record: Record, catalogue: Catalogue, now: datetime) -> date | None:
    """First day on which a repair can be applied for, today at the earliest; none if it ends before."""
    begins = repairable_from(record, catalogue)
    if begins is None:
        return None
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    end = disclosure_terms.ends_at(record, dataset, rules)
    return None if end is not None and end <= midnight(begins) else max(begins, day_of(now))


def _counts_as_bad(record: Record, catalogue: Catalogue, now: datetime) -> bool:
    dataset, rules = catalogue.dataset(record.dataset), catalogue.rules_of(record.dataset)
    end = disclosure_terms.ends_at(record, dataset, rules)
    return (
        disclosure_terms.is_bad(record, dataset)
        and disclosure_terms.exemption(record, rules, now=now) is None
        and (end is None or now < end)
    )
