"""State of each of the client's limits (`GET /v1/limits`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import call
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import Serializable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from xinqiao._core.flow import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Serializable):
    """A limit, and what is left of it; times in seconds.

    `refill` is the time until one more call fits, `reset` until the quota is full. They and `remaining` are
    `None` where each enterprise has a count of its own. `endpoint` is of limits of one endpoint.
    """

    name: str
    per: str
    endpoint: str | None = None
    quota: int
    window: int
    remaining: int | None = None
    refill: int | None = None
    reset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRefusal(Serializable):
    """The last call that a limit refused, and when it would have fitted."""

    limit: str
    refused_at: datetime
    fits_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Serializable):
    """The limits of this client; `last_refusal` is that of the last 24 hours, if there was one."""

    as_of: datetime
    limits: tuple[Limit, ...]
    last_refusal: LimitRefusal | None
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Limit]:
        """Iterate over the items."""
        return iter(self.limits)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.limits)


def limits(session: Session) -> Flow[Limits]:
    """Read what is left of each limit of this client; it is charged to a limit of its own alone."""
    evidence = yield from call(session, "GET", "/v1/limits", scope=None)
    body = Reader.body(evidence)
    refusal = body.optional_object("last_refusal")
    return Limits(
        as_of=body.time("as_of"),
        limits=tuple(map(_limit, body.objects("limits"))),
        last_refusal=None if refusal is None else _refusal(refusal),
        evidence=evidence,
    )


def _limit(item: Reader) -> Limit:
    return Limit(
        name=item.text("limit"),
        per=item.text("per"),
        endpoint=item.optional_text("endpoint"),
        quota=item.integer("quota"),
        window=item.integer("window_seconds"),
        remaining=item.optional_integer("remaining"),
        refill=item.optional_integer("refill_seconds"),
        reset=item.optional_integer("reset_seconds"),
    )


def _refusal(item: Reader) -> LimitRefusal:
    return LimitRefusal(
        limit=item.text("limit"), refused_at=item.time("refused_at"), fits_at=item.time("fits_at")
    )
