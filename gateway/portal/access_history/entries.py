"""Who looked, as the log has it: each function asks one question about one enterprise.

A line is one attempt, told or refused, or a sum: how often a client's attempts were refused, for one
reason, within one hour (R10, in aggregate).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Self

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

PAGE: Final = 20
AT_ONCE: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Outcome = Literal["told", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines are wanted; what is `None` is not asked for."""

    client_id: str | None = None
    purpose: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The lines before this moment."""

    @property
    def wants_sums(self) -> bool:
        """Whether sums can be among the lines: they are refusals, and have no purpose."""
        return self.purpose is None and self.outcome != "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPosition:
    """Where a page of lines ended. It names nothing that its reader has not seen."""

    at: datetime
    ref: str

    def __str__(self) -> str:
        """As it stands in an address."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}~{self.ref}"

    @classmethod
    def read(cls, written: str) -> Self | None:
        """The place in an address; `None` if it is none."""
        micros, _, ref = written.partition("~")
        if not (micros.isascii() and micros.isdecimal() and ref) or "\0" in ref:
            return None
        try:
            return cls(at=_EPOCH + timedelta(microseconds=int(micros)), ref=ref)
        except (OverflowError, ValueError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """One line of who looked."""

    ref: str
    """The disclosure's id; of a sum, what tells it from others of its hour."""
    client_id: str
    kind: str
    outcome: str
    reason: str | None
    purpose: str | None
    consent_id: str | None
    asked: list[Any]
    at: datetime
    """When; of a sum, when its hour began."""
    times: int | None
    """`None` for one attempt; of a sum, how many there were."""

    @property
    def place(self) -> HistoryPosition:
        """Where this line stands."""
        return HistoryPosition(at=self.at, ref=self.ref)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """What there is to choose from."""

    clients: frozenset[str]
    purposes: frozenset[str]


_AT: Final = col(DisclosureRow.at)
_REF: Final = col(DisclosureRow.disclosure_id)
_CHOICES: Final = (col(DisclosureRow.client_id), col(DisclosureRow.purpose))
_HOUR: Final = col(TurnedAwayRow.hour)
_SUM_REF: Final = func.concat_ws(
    "/",
    col(TurnedAwayRow.client_id),
    col(TurnedAwayRow.kind),
    col(TurnedAwayRow.reason),
    type_=Text,
)


async def lines(
    connection: AsyncConnection,
    uscc: str,
    wanted: Filter,
    *,
    after: HistoryPosition | None = None,
    limit: int = PAGE,
) -> list[AccessEntry]:
    """The newest lines, or the next after the place where the page before ended."""
    asked = _attempts(uscc, wanted, after).order_by(_AT.desc(), _REF.desc()).limit(limit)
    if wanted.wants_sums:
        sums = _sums(uscc, wanted, after).order_by(_HOUR.desc(), _SUM_REF.desc()).limit(limit)
        both = union_all(asked.subquery().select(), sums.subquery().select()).subquery()
        asked = select(both).order_by(both.c.at.desc(), both.c.ref.desc()).limit(limit)
    return [AccessEntry(**row._asdict()) for row in await connection.execute(asked)]


async def every_line(
    engine: AsyncEngine, uscc: str, wanted: Filter, *, at_once: int = AT_ONCE
) -> AsyncIterator[list[AccessEntry]]:
    """All lines, some at a time; no connection is held while their reader is slow."""
    after = None
    while True:
        async with engine.connect() as connection:
            found = await lines(connection, uscc, wanted, after=after, limit=at_once)
        yield found
        if len(found) < at_once:
            return
        after = found[-1].place


async def seen(connection: AsyncConnection, uscc: str) -> HistoryPage:
    """Which clients and which purposes there are among all lines."""
    attempts = select(*_CHOICES).where(col(DisclosureRow.uscc) == uscc)
    sums = select(col(TurnedAwayRow.client_id), null()).where(col(TurnedAwayRow.uscc) == uscc)
    found = (await connection.execute(attempts.union(sums))).all()
    return HistoryPage(
        clients=frozenset(row.client_id for row in found),
        purposes=frozenset(row.purpose for row in found if row.purpose is not None),
    )


def _attempts(uscc: str, wanted: Filter, after: HistoryPosition | None) -> Select[Any]:
    found = select(
        _REF.label("ref"),
        col(DisclosureRow.client_id),
        col(DisclosureRow.kind),
        col(DisclosureRow.outcome),
        col(DisclosureRow.reason),
        col(DisclosureRow.purpose),
        col(DisclosureRow.consent_id),
        col(DisclosureRow.asked),
        _AT.label("at"),
        null().cast(BigInteger).label("times"),
    ).where(col(DisclosureRow.uscc) == uscc)
    if wanted.client_id is not None:
        found = found.where(col(DisclosureRow.client_id) == wanted.client_id)
    if wanted.purpose is not None:
        found = found.where(col(DisclosureRow.purpose) == wanted.purpose)
    if wanted.outcome is not None:
        found = found.where(col(DisclosureRow.outcome) == wanted.outcome)
    return _within(found, _AT, _REF, wanted, after)


def _sums(uscc: str, wanted: Filter, after: HistoryPosition | None) -> Select[Any]:
    found = select(
        _SUM_REF.label("ref"),
        col(TurnedAwayRow.client_id),
        col(TurnedAwayRow.kind),
        literal("refused").label("outcome"),
        col(TurnedAwayRow.reason),
        null().cast(Text).label("purpose"),
        null().cast(Text).label("consent_id"),
        literal([], JSONB).label("asked"),
        _HOUR.label("at"),
        col(TurnedAwayRow.times),
    ).where(col(TurnedAwayRow.uscc) == uscc)
    if wanted.client_id is not None:
        found = found.where(col(TurnedAwayRow.client_id) == wanted.client_id)
    return _within(found, _HOUR, _SUM_REF, wanted, after)


def _within(
    found: Select[Any],
    at: Mapped[datetime],
    ref: Mapped[str] | ColumnElement[str],
    wanted: Filter,
    after: HistoryPosition | None,
) -> Select[Any]:
    if wanted.since is not None:
        found = found.where(at >= wanted.since)
    if wanted.until is not None:
        found = found.where(at < wanted.until)
    if after is not None:
        found = found.where(tuple_(at, ref) < tuple_(after.at, after.ref))
    return found
