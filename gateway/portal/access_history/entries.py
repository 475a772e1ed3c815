"""Access history queries (R10): disclosures, refused attempts, and hourly refusal counts.

An entry is one attempt, or the number of a client's attempts refused for one reason in one hour.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import Mapped
from sqlmodel import col

from gateway.disclosure.tables import DisclosureRow, TurnedAwayRow
from gateway.portal.pagination import PAGE_SIZE, ListPosition

EXPORT_BATCH_SIZE: Final = 500

Outcome = Literal["told", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Filter on entries; `None` matches all."""

    client_id: str | None = None
    purpose: str | None = None
    outcome: Outcome | None = None
    start: datetime | None = None
    end: datetime | None = None
    """Exclusive."""

    @property
    def includes_counts(self) -> bool:
        """True where hourly refusal counts can match; they have no purpose."""
        return self.purpose is None and self.outcome != "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One entry of the access history."""

    ref: str
    """The disclosure's id; for an hourly count, its key within the hour."""
    client_id: str
    kind: str
    outcome: str
    reason: str | None
    purpose: str | None
    consent_id: str | None
    asked: list[Any]
    relied_on: list[tuple[str, int]]
    """Ids and versions of the records told, or that an answer rests on."""
    items: list[Any] | None
    """The outcome item by item (`disclosure.items`); `None` if it was not recorded."""
    moment: datetime
    """The time; for an hourly count, the start of the hour."""
    times: int | None
    """The number of attempts in an hourly count; `None` for a single attempt."""

    @property
    def position(self) -> ListPosition:
        """The cursor after this entry."""
        return ListPosition(moment=self.moment, ref=self.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChoices:
    """The clients and purposes that occur, for the filter form."""

    clients: frozenset[str]
    purposes: frozenset[str]


_AT: Final = col(DisclosureRow.at)
_REF: Final = col(DisclosureRow.disclosure_id)
_HOUR: Final = col(TurnedAwayRow.hour)
_COUNT_KEY: Final = (
    col(TurnedAwayRow.client_id),
    col(TurnedAwayRow.kind),
    col(TurnedAwayRow.reason),
)
_COUNT_REF: Final = func.concat_ws("/", *_COUNT_KEY, type_=Text)


async def list_entries(
    connection: AsyncConnection,
    uscc: str,
    criteria: EntryFilter,
    *,
    position: ListPosition | None = None,
    limit: int = PAGE_SIZE,
) -> list[AccessEntry]:
    """The newest entries, or those older than `position`."""
    asked = _attempts(uscc, criteria, position).order_by(_AT.desc(), _REF.desc()).limit(limit)
    if criteria.includes_counts:
        counts = (
            _hourly_counts(uscc, criteria, position)
            .order_by(_HOUR.desc(), _COUNT_REF.desc())
            .limit(limit)
        )
        both = union_all(asked.subquery().select(), counts.subquery().select()).subquery()
        asked = select(both).order_by(both.c.moment.desc(), both.c.ref.desc()).limit(limit)
    return [AccessEntry(**row._asdict()) for row in await connection.execute(asked)]


async def stream_entries(
    engine: AsyncEngine, uscc: str, criteria: EntryFilter, *, batch: int = EXPORT_BATCH_SIZE
) -> AsyncIterator[list[AccessEntry]]:
    """All entries in batches; no connection is held between batches."""
    position = None
    while True:
        async with engine.connect() as connection:
            found = await list_entries(connection, uscc, criteria, position=position, limit=batch)
        yield found
        if len(found) < batch:
            return
        position = found[-1].position


async def filter_choices(connection: AsyncConnection, uscc: str) -> FilterChoices:
    """The clients and purposes among all entries."""
    own = col(DisclosureRow.uscc) == uscc
    attempts = select(col(DisclosureRow.client_id), col(DisclosureRow.purpose)).where(own)
    counts = select(col(TurnedAwayRow.client_id), null()).where(col(TurnedAwayRow.uscc) == uscc)
    found = (await connection.execute(attempts.union(counts))).all()
    return FilterChoices(
        clients=frozenset(row.client_id for row in found),
        purposes=frozenset(row.purpose for row in found if row.purpose is not None),
    )


def _attempts(uscc: str, criteria: EntryFilter, position: ListPosition | None) -> Select[Any]:
    found = select(
        _REF.label("ref"),
        col(DisclosureRow.client_id),
        col(DisclosureRow.kind),
        col(DisclosureRow.outcome),
        col(DisclosureRow.reason),
        col(DisclosureRow.purpose),
        col(DisclosureRow.consent_id),
        col(DisclosureRow.asked),
        col(DisclosureRow.relied_on),
        col(DisclosureRow.items),
        _AT.label("moment"),
        null().cast(BigInteger).label("times"),
    ).where(col(DisclosureRow.uscc) == uscc)
    if criteria.client_id is not None:
        found = found.where(col(DisclosureRow.client_id) == criteria.client_id)
    if criteria.purpose is not None:
        found = found.where(col(DisclosureRow.purpose) == criteria.purpose)
    if criteria.outcome is not None:
        found = found.where(col(DisclosureRow.outcome) == criteria.outcome)
    return _filtered(found, _AT, _REF, criteria, position)


def _hourly_counts(uscc: str, criteria: EntryFilter, position: ListPosition | None) -> Select[Any]:
    found = select(
        _COUNT_REF.label("ref"),
        col(TurnedAwayRow.client_id),
        col(TurnedAwayRow.kind),
        literal("refused").label("outcome"),
        col(TurnedAwayRow.reason),
        null().cast(Text).label("purpose"),
        null().cast(Text).label("consent_id"),
        literal([], JSONB).label("asked"),
        literal([], JSONB).label("relied_on"),
        null().cast(JSONB).label("items"),
        _HOUR.label("moment"),
        col(TurnedAwayRow.times),
    ).where(col(TurnedAwayRow.uscc) == uscc)
    if criteria.client_id is not None:
        found = found.where(col(TurnedAwayRow.client_id) == criteria.client_id)
    return _filtered(found, _HOUR, _COUNT_REF, criteria, position)


def _filtered(
    found: Select[Any],
    moment: Mapped[datetime],
    ref: Mapped[str] | ColumnElement[str],
    criteria: EntryFilter,
    position: ListPosition | None,
) -> Select[Any]:
    if criteria.start is not None:
        found = found.where(moment >= criteria.start)
    if criteria.end is not None:
        found = found.where(moment < criteria.end)
    if position is not None:
        found = found.where(tuple_(moment, ref) < tuple_(position.moment, position.ref))
    return found
