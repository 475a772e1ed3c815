"""Queries for consents, in a transaction of the caller; the only writes are displayed texts.

None commits. No consent is written here: `consent.writer` does that.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from consent.mapping import consent_of, event_of
from consent.model import Bilingual, Consent, Event, Purpose, Status
from consent.tables import consent_events, consent_locators, consent_texts, consents

PAGE = 100
LOCATED_AT_ONCE = 1_000
"""Consents that are looked through at once for those of a status."""

_TURNS = 0x58514344  # "XQCD": the namespace of decisions among advisory locks
_RUNNING = (Status.ACTIVE.value, Status.PAUSED.value)
_OPEN = (Status.REQUESTED.value, *_RUNNING)


async def in_turn(connection: AsyncConnection, client_id: str, uscc: str, purpose: Purpose) -> None:
    """Wait until no other transaction decides for the same client, enterprise and purpose.

    The second of two concurrent grants must see the first, or both would run (R8).
    """
    name = f"{uscc}|{client_id}|{purpose.value}"
    turn = func.pg_advisory_xact_lock(cast(_TURNS, Integer), func.hashtext(name))
    await connection.execute(select(turn))


async def locate(connection: AsyncConnection, consent_id: str) -> str | None:
    """The USCC of a consent's enterprise."""
    found = await connection.execute(
        select(consent_locators.c.uscc).where(consent_locators.c.consent_id == consent_id)
    )
    return found.scalar_one_or_none()


async def by_id(connection: AsyncConnection, consent_id: str) -> Consent | None:
    """The consent with this id. In two steps, so that each touches one shard."""
    uscc = await locate(connection, consent_id)
    if uscc is None:
        return None
    return await _one(connection, _with_id(uscc, consent_id))


async def hold(connection: AsyncConnection, uscc: str, consent_id: str) -> Consent | None:
    """The consent, locked against changes until this transaction ends."""
    return await _one(connection, _with_id(uscc, consent_id).with_for_update(read=True))


async def amendments_of(connection: AsyncConnection, uscc: str, consent_id: str) -> list[Consent]:
    """Open amendment requests of this consent."""
    query = consents.select().where(
        consents.c.uscc == uscc,
        consents.c.amends == consent_id,
        consents.c.status == Status.REQUESTED.value,
    )
    return await _all(connection, query.order_by(consents.c.consent_id))


async def open_for(
    connection: AsyncConnection, client_id: str, uscc: str, purpose: Purpose
) -> list[Consent]:
    """Consents that a new grant supersedes: requested, active or paused by their rows."""
    query = _of_relation(client_id, uscc, purpose).where(consents.c.status.in_(_OPEN))
    return await _all(connection, query.order_by(consents.c.requested_at, consents.c.consent_id))


async def last_refusal(
    connection: AsyncConnection, client_id: str, uscc: str, purpose: Purpose
) -> Consent | None:
    """The refusal that cools down last (R9)."""
    query = _of_relation(client_id, uscc, purpose).where(consents.c.status == Status.REFUSED.value)
    newest = (consents.c.cool_down_until.desc(), consents.c.consent_id.desc())
    return await _one(connection, query.order_by(*newest).limit(1))


async def cooling_refusals(
    connection: AsyncConnection, client_id: str, uscc: str, purpose: Purpose, *, now: datetime
) -> list[Consent]:
    """The refusals that still cool down at `now` (R9)."""
    query = _of_relation(client_id, uscc, purpose).where(
        consents.c.status == Status.REFUSED.value, consents.c.cool_down_until > now
    )
    return await _all(connection, query.order_by(consents.c.consent_id))


async def running_of(connection: AsyncConnection, uscc: str, *, now: datetime) -> list[Consent]:
    """An enterprise's requested, active and paused consents, newest first.

    Few: each client has one open request at a time for a purpose.
    """
    return await _all(connection, _newest_of(uscc).where(_status_at(now).in_(_OPEN)))


async def ended_of(
    connection: AsyncConnection,
    uscc: str,
    *,
    now: datetime,
    before: tuple[datetime, str] | None = None,
    limit: int = PAGE,
) -> list[Consent]:
    """One page of an enterprise's ended consents and requests, newest first.

    It begins behind `before`: when one was asked for, and its id. A client can make many.
    """
    query = _newest_of(uscc).where(_status_at(now).not_in(_OPEN)).limit(limit)
    if before is not None:
        query = query.where(tuple_(consents.c.requested_at, consents.c.consent_id) < before)
    return await _all(connection, query)


async def last_events(
    connection: AsyncConnection, uscc: str, ids: Iterable[str]
) -> dict[str, Event]:
    """The latest event of each of these consents of one enterprise."""
    events = consent_events.c
    latest = (
        select(events.consent_id, func.max(events.seq))
        .where(events.uscc == uscc, events.consent_id.in_(sorted(ids)))
        .group_by(events.consent_id)
    )
    found = await connection.execute(
        consent_events.select().where(
            events.uscc == uscc, tuple_(events.consent_id, events.seq).in_(latest)
        )
    )
    return {row.consent_id: event_of(row._asdict()) for row in found}


async def of_client(
    connection: AsyncConnection,
    client_id: str,
    status: Status | None = None,
    *,
    now: datetime,
    after: str = "",
    limit: int = PAGE,
) -> list[Consent]:
    """A page of one client's consents by id, beginning behind `after`; by status as of `now`."""
    at_once = limit if status is None else LOCATED_AT_ONCE
    found: list[Consent] = []
    while len(found) < limit:
        located = await _located(connection, client_id, after, limit=at_once)
        query = _of_places(located).order_by(consents.c.consent_id).limit(limit - len(found))
        if status is not None:
            query = query.where(_status_at(now) == status.value)
        found += await _all(connection, query)
        if len(located) < at_once:
            break
        after = located[-1][1]
    return found


async def _located(
    connection: AsyncConnection, client_id: str, after: str, *, limit: int
) -> list[tuple[str, str]]:
    """USCC and id of a client's next consents, by id."""
    locators = consent_locators.c
    found = await connection.execute(
        select(locators.uscc, locators.consent_id)
        .where(locators.client_id == client_id, locators.consent_id > after)
        .order_by(locators.consent_id)
        .limit(limit)
    )
    return [(uscc, consent_id) for uscc, consent_id in found]


def _of_places(located: Sequence[tuple[str, str]]) -> Select[Any]:
    """The consents with these USCCs and ids."""
    places = (
        func.unnest(
            cast([uscc for uscc, _ in located], ARRAY(Text)),
            cast([consent_id for _, consent_id in located], ARRAY(Text)),
        )
        .table_valued("uscc", "consent_id")
        .render_derived(name="place")
    )
    same = and_(consents.c.uscc == places.c.uscc, consents.c.consent_id == places.c.consent_id)
    return consents.select().join(places, same)


async def events_of(connection: AsyncConnection, uscc: str, consent_id: str) -> list[Event]:
    """Events of one consent, in order."""
    found = await connection.execute(
        consent_events.select()
        .where(consent_events.c.uscc == uscc, consent_events.c.consent_id == consent_id)
        .order_by(consent_events.c.seq)
    )
    return [event_of(row._asdict()) for row in found]


async def keep_text(
    connection: AsyncConnection, digest: bytes, text_version: str, shown: Sequence[Bilingual]
) -> None:
    """Store a displayed text, once per digest."""
    row = {
        "digest": digest,
        "text_version": text_version,
        "zh": [each.zh for each in shown],
        "en": [each.en for each in shown],
    }
    await connection.execute(insert_or(consent_texts).values(row).on_conflict_do_nothing())


async def text_of(connection: AsyncConnection, digest: bytes) -> tuple[Bilingual, ...]:
    """The text stored under this digest, or none."""
    found = await connection.execute(consent_texts.select().where(consent_texts.c.digest == digest))
    row = found.one_or_none()
    pairs = () if row is None else zip(row.zh, row.en, strict=True)
    return tuple(Bilingual(zh=zh, en=en) for zh, en in pairs)


def _with_id(uscc: str, consent_id: str) -> Select[Any]:
    return consents.select().where(consents.c.uscc == uscc, consents.c.consent_id == consent_id)


def _newest_of(uscc: str) -> Select[Any]:
    return (
        consents.select()
        .where(consents.c.uscc == uscc)
        .order_by(consents.c.requested_at.desc(), consents.c.consent_id.desc())
    )


def _of_relation(client_id: str, uscc: str, purpose: Purpose) -> Select[Any]:
    return consents.select().where(
        consents.c.uscc == uscc,
        consents.c.client_id == client_id,
        consents.c.purpose == purpose.value,
    )


def _status_at(now: datetime) -> ColumnElement[str]:
    """`model.status_at`, in SQL."""
    requested = consents.c.status == Status.REQUESTED.value
    running = consents.c.status.in_(_RUNNING)
    over = consents.c.valid_until <= now
    return case(
        (and_(requested, consents.c.answer_by <= now), literal(Status.EXPIRED.value)),
        (and_(requested | running, over), literal(Status.EXPIRED.value)),
        (and_(running, consents.c.uses >= consents.c.max_uses), literal(Status.EXHAUSTED.value)),
        else_=consents.c.status,
    )


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Consent]:
    return [consent_of(row._asdict()) for row in await connection.execute(query)]


async def _one(connection: AsyncConnection, query: Select[Any]) -> Consent | None:
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else consent_of(row._asdict())
