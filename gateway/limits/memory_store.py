"""In-memory limit store for a single process. No call awaits, so each one is atomic."""

import heapq
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from gateway.limits.decision import (
    StoreState,
    charge_counter,
    judge,
    read_states,
    seconds,
    window_end,
)
from gateway.limits.gcra import SECOND
from gateway.limits.model import (
    Admission,
    Admitted,
    Distinct,
    LastRefusal,
    Limited,
    LimitsQuery,
    LimitsReading,
    LineLimit,
    LinesAdmission,
    Pin,
    PinConflict,
    Replay,
    Replayed,
    StaleGeneration,
    Verdict,
)
from gateway.limits.read_script import REMEMBERED
from gateway.limits.redis_keys import distinct_key, full_counter_key, short_digest
from gateway.limits.store_protocol import RANDOM_BYTES

SWEPT_PER_CALL = 16  # more than one call can add, so expired keys never pile up

V = TypeVar("V")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryShard(Generic[V]):
    """A dictionary of values that expire; a key is queued once, however often its expiry moves."""

    __slots__ = ("_due", "_kept")

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, V]] = {}
        self._due: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str, now: int) -> V | None:
        """The value, unless it has expired."""
        expires, value = self._kept.get(key, (0, None))
        return value if expires > now else None

    def put(self, key: str, value: V, expires: int) -> None:
        """Store `value` until `expires`."""
        if key not in self._kept:
            heapq.heappush(self._due, (expires, key))
        self._kept[key] = (expires, value)

    def sweep(self, now: int) -> None:
        """Drop expired values, a bounded number at a time."""
        for _ in range(SWEPT_PER_CALL):
            if not self._due or self._due[0][0] > now:
                return
            key = heapq.heappop(self._due)[1]
            expires = self._kept[key][0]
            if expires > now:
                heapq.heappush(self._due, (expires, key))
            else:
                del self._kept[key]


class MemoryStore:
    """A `LimitStore` for a single process; `clock` gives the time, with its zone."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._generation = secrets.token_urlsafe(12)
        self._replays = MemoryShard[bool]()
        self._pins = MemoryShard[str]()
        self._tats = MemoryShard[int]()
        self._members = MemoryShard[set[str]]()
        self._shared = MemoryShard[str]()
        self._refusals = MemoryShard[LastRefusal]()
        self._shards: tuple[MemoryShard[Any], ...] = (
            self._replays,
            self._pins,
            self._tats,
            self._members,
            self._shared,
            self._refusals,
        )

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    async def admit(self, admission: Admission) -> Verdict:
        """Judge and charge in one step; see `LimitStore`."""
        now = self._now()
        for shard in self._shards:
            shard.sweep(now)
        if admission.generation not in {None, self._generation}:
            return StaleGeneration(generation=self._generation)
        if admission.replay and self._replayed(admission.tag, admission.replay, now):
            return Replayed(generation=self._generation)
        if admission.pin and self._conflicts(admission.tag, admission.pin, now):
            return PinConflict(generation=self._generation)
        state = self._read(admission, now)
        verdict = judge(admission, state, self._generation)
        if isinstance(verdict, Admitted):
            self._charge(admission, state)
        return verdict

    async def admit_lines(self, admission: LinesAdmission) -> Sequence[LineLimit | None]:
        """Judge and charge each line; see `LimitStore`."""
        verdicts = [
            await self.admit(
                Admission(
                    tag=admission.tag,
                    generation=None,
                    counters=(
                        *(replace(shared, cost=line.cost) for shared in admission.shared),
                        line.counter,
                    ),
                    distinct=line.distinct,
                )
            )
            for line in admission.lines
        ]
        return [
            LineLimit(name=each.name, retry_after=each.retry_after)
            if isinstance(each, Limited)
            else None
            for each in verdicts
        ]

    async def admit_members(self, tag: str, members: Sequence[Distinct]) -> LineLimit | None:
        """Judge and charge the members in one step; see `LimitStore`."""
        if not members:
            return None
        now, first = self._now(), members[0]
        self._members.sweep(now)
        seen = self._members_seen(tag, first, now)
        wanted = seen.union(short_digest(each.member) for each in members)
        end = window_end(now, first.window)
        if len(wanted) > max(first.limit, len(seen)):
            return LineLimit(name=first.name, retry_after=seconds(end - now))
        self._members.put(f"{tag}:{distinct_key(first)}", wanted, end)
        return None

    async def read(self, query: LimitsQuery) -> LimitsReading:
        """Read without a charge; see `LimitStore`."""
        now = self._now()
        state = self._read(query, now)
        refusal = self._refusals.get(query.tag, now)
        return LimitsReading(now=now, states=read_states(query, state), last_refusal=refusal)

    async def note_refusal(self, tag: str, name: str, seconds: int) -> None:
        """Remember by this process's clock; see `LimitStore`."""
        now = self._now()
        self._refusals.sweep(now)
        refusal = LastRefusal(name=name, refused_at=now, fits_at=now + seconds * SECOND)
        self._refusals.put(tag, refusal, now + max(REMEMBERED, seconds) * SECOND)

    async def generation(self) -> str:
        """The generation: one for the life of this process."""
        return self._generation

    async def shared_random(self, name: str, seconds: int) -> str:
        """The text of this process; see `LimitStore`."""
        now = self._now()
        self._shared.sweep(now)
        present = self._shared.get(name, now)
        if present is None:
            present = secrets.token_urlsafe(RANDOM_BYTES)
            self._shared.put(name, present, now + seconds * SECOND)
        return present

    async def close(self) -> None:
        """Close nothing: there are no connections."""

    def _now(self) -> int:
        return (self._clock() - _EPOCH) // timedelta(microseconds=1)

    def _replayed(self, tag: str, replay: Replay, now: int) -> bool:
        key = f"{tag}:{short_digest(replay.key)}"
        if self._replays.get(key, now):
            return True
        self._replays.put(key, value=True, expires=now + replay.ttl * SECOND)
        return False

    def _conflicts(self, tag: str, pin: Pin, now: int) -> bool:
        key, value = f"{tag}:{short_digest(pin.key)}", short_digest(pin.value)
        known = self._pins.get(key, now)
        if known is None:
            self._pins.put(key, value, now + pin.ttl * SECOND)
        return known not in {None, value}

    def _read(self, admission: Admission | LimitsQuery, now: int) -> StoreState:
        tag = admission.tag
        tats = (self._tats.get(full_counter_key(tag, c), now) or 0 for c in admission.counters)
        members = self._members_seen(tag, admission.distinct, now)
        seen = admission.distinct is not None and short_digest(admission.distinct.member) in members
        return StoreState(now=now, tats=tuple(tats), members=len(members), seen=seen)

    def _members_seen(self, tag: str, distinct: Distinct | None, now: int) -> set[str]:
        return (distinct and self._members.get(f"{tag}:{distinct_key(distinct)}", now)) or set()

    def _charge(self, admission: Admission, state: StoreState) -> None:
        for counter, tat in zip(admission.counters, state.tats, strict=True):
            after = charge_counter(counter, tat, state.now, counter.cost).tat
            self._tats.put(full_counter_key(admission.tag, counter), after, after)
        if admission.distinct and not state.seen:
            distinct = admission.distinct
            members = self._members_seen(admission.tag, distinct, state.now)
            members.add(short_digest(distinct.member))
            end = window_end(state.now, distinct.window)
            self._members.put(f"{admission.tag}:{distinct_key(distinct)}", members, end)
