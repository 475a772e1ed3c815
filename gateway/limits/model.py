"""What a store is asked and what it answers. What cannot be counted cannot be written down."""

import re
from dataclasses import dataclass

from gateway.limits import gcra

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """At most `quota` calls in `window` seconds, refilled evenly (GCRA)."""

    name: str
    key: str
    quota: int
    window: int
    cost: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        _demand(_NAME.fullmatch(self.name), "a counter's name is of a-z, 0-9 and _")
        _demand(self.cost >= 0, "a cost cannot be negative")
        _demand(self.window >= 1, "a window has at least one second")
        _demand(1 <= self.quota <= self.window * gcra.SECOND, "a quota is 1 to one per microsecond")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`key` may come once in `ttl` seconds."""

    key: str
    ttl: int

    def __post_init__(self) -> None:
        """Refuse what would be forgotten at once."""
        _demand(self.ttl >= 1, "a replay key lives at least one second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """`key` stands for `value` for `ttl` seconds from its first sight; another is a conflict."""

    key: str
    value: str
    ttl: int

    def __post_init__(self) -> None:
        """Refuse what would be forgotten at once."""
        _demand(self.ttl >= 1, "a pin lives at least one second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """At most `limit` different members in one fixed `window` of seconds; one already seen is free.

    Windows begin at midnight in Beijing and at each multiple of `window` from there.
    """

    name: str
    key: str
    member: str
    limit: int
    window: int

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        _demand(_NAME.fullmatch(self.name), "a name is of a-z, 0-9 and _")
        _demand(self.window >= 1, "a window has at least one second")
        _demand(self.limit >= 0, "a limit cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """One call that asks to come in. Judged: generation, replay, pin, counters, distinct.

    `tag` (a client id or a key's thumbprint) keeps all its keys in one slot of a Redis Cluster.
    `generation` is what the call's nonce was bound to; None where there was no nonce.
    """

    tag: str
    generation: str | None
    replay: Replay | None = None
    pin: Pin | None = None
    counters: tuple[Counter, ...] = ()
    distinct: Distinct | None = None

    def __post_init__(self) -> None:
        """Refuse a tag that would not be a hash tag, and one counter charged twice."""
        _demand(self.tag and not set(self.tag) & {"{", "}"}, "a tag is not empty and has no braces")
        places = {(counter.name, counter.window, counter.key) for counter in self.counters}
        _demand(len(places) == len(self.counters), "the same counter stands twice in one admission")


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterState:
    """What is left of one quota; `reset` is in seconds until it is full again."""

    name: str
    quota: int
    window: int
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Come in; the counters are charged. The last state is that of `distinct`, where asked."""

    states: tuple[CounterState, ...]
    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The replay key had come before."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleGeneration:
    """The store was emptied since the nonce was made; `generation` is the present one."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PinConflict:
    """The pin's key stands for another value."""

    generation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """The quota `name` refuses for `retry_after` seconds (at least 1); nothing was charged."""

    name: str
    retry_after: int
    states: tuple[CounterState, ...]
    generation: str


Verdict = Admitted | Replayed | StaleGeneration | PinConflict | Limited


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
