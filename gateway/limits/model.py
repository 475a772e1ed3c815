"""The limiter's values: an admission with its counters, and the verdict. Each checks itself."""

import re
from dataclasses import dataclass

from gateway.limits import gcra

SHARED_TAG = "gateway"
"""The tag of shared counters."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A rate limit: at most `quota` calls in `window` seconds, refilled evenly (GCRA).

    A `shared` counter is one for all tags.
    """

    name: str
    key: str
    quota: int
    window: int
    cost: int = 1
    shared: bool = False

    def __post_init__(self) -> None:
        _require(_NAME.fullmatch(self.name), "a counter's name is of a-z, 0-9 and _")
        _require(self.cost >= 0, "a cost cannot be negative")
        _require(self.window >= 1, "a window has at least one second")
        _require(
            1 <= self.quota <= self.window * gcra.SECOND, "a quota is 1 to one per microsecond"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A replay check: `key` is accepted once in `ttl` seconds."""

    key: str
    ttl: int

    def __post_init__(self) -> None:
        _require(self.ttl >= 1, "a replay key lives at least one second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pinned value: another `value` for `key` is a conflict for `ttl` seconds from the first."""

    key: str
    value: str
    ttl: int

    def __post_init__(self) -> None:
        _require(self.ttl >= 1, "a pin lives at least one second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """A limit on distinct members: `limit` in a fixed `window` of seconds; a repeated one is free.

    Windows begin at midnight in Beijing and at each multiple of `window` from there.
    """

    name: str
    key: str
    member: str
    limit: int
    window: int

    def __post_init__(self) -> None:
        _require(_NAME.fullmatch(self.name), "a name is of a-z, 0-9 and _")
        _require(self.window >= 1, "a window has at least one second")
        _require(self.limit >= 0, "a limit cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One call to be admitted. Checked in order: generation, replay, pin, counters, distinct.

    `tag` (a client id or a key's thumbprint) keeps its keys in one slot of a Redis Cluster.
    `generation` is the one that the call's nonce was bound to, `None` without a nonce.
    """

    tag: str
    generation: str | None
    replay: Replay | None = None
    pin: Pin | None = None
    counters: tuple[Counter, ...] = ()
    distinct: Distinct | None = None

    def __post_init__(self) -> None:
        _require(
            self.tag and not set(self.tag) & {"{", "}"}, "a tag is not empty and has no braces"
        )
        different = {(counter.name, counter.window, counter.key) for counter in self.counters}
        _require(
            len(different) == len(self.counters), "the same counter stands twice in one admission"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineAdmission:
    """One line of many: its own counter and member; `cost` is charged to the shared counters."""

    counter: Counter
    distinct: Distinct
    cost: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesAdmission:
    """Lines of one call, each admitted or not by itself, in their order.

    `shared` are the counters of all lines; their own `cost` is not charged. The lines' own counters
    have one quota, and so do their distinct members.
    """

    tag: str
    shared: tuple[Counter, ...]
    lines: tuple[LineAdmission, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLimit:
    """Why a line is not admitted: the quota `name` is exceeded for `retry_after` seconds."""

    name: str
    retry_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterState:
    """The remainder of one quota; the seconds until one more fits, and until it is full again."""

    name: str
    quota: int
    window: int
    remaining: int
    refill: int
    reset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsQuery:
    """Quotas whose remainders are read, without a charge; the costs of counters do not matter."""

    tag: str
    counters: tuple[Counter, ...]
    distinct: Distinct | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRefusal:
    """The last refusal under a tag: its quota, when it was, and when that quota fits again.

    Moments in microseconds since 1970.
    """

    name: str
    refused_at: int
    fits_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsReading:
    """The remainders at `now` (microseconds), as of `LimitsQuery`, that of `distinct` last."""

    now: int
    states: tuple[CounterState, ...]
    last_refusal: LastRefusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on an admission; `generation` is the store's present one."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Verdict):
    """The call is admitted and charged. The last state is that of `distinct`, if given."""

    states: tuple[CounterState, ...]


class Replayed(Verdict):
    """The replay key was used before."""


class StaleGeneration(Verdict):
    """The store was emptied since the nonce was made."""


class PinConflict(Verdict):
    """The pin's key has another value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited(Verdict):
    """The quota `name` is exceeded for `retry_after` seconds (at least 1); nothing was charged."""

    name: str
    retry_after: int
    states: tuple[CounterState, ...]


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ValueError(message)
