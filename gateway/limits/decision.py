"""The verdict on an admission from a store's state; pure, and shared by both stores."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from gateway.limits import gcra
from gateway.limits.gcra import SECOND
from gateway.limits.model import (
    Admission,
    Admitted,
    Counter,
    CounterState,
    Distinct,
    Limited,
    LimitsQuery,
)

DAY_STARTS = 8 * 3600  # Beijing is 8 hours ahead of UTC, all year


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreState:
    """A store's state before the call: `now` and `tats` in microseconds, a TAT for each counter."""

    now: int
    tats: tuple[int, ...]
    members: int = 0
    seen: bool = False


def judge(admission: Admission, state: StoreState, generation: str) -> Admitted | Limited:
    """Admitted if everything fits; else Limited, by the quota that takes longest to fit again."""
    charged = [
        charge_counter(counter, tat, state.now, counter.cost)
        for counter, tat in zip(admission.counters, state.tats, strict=True)
    ]
    refusals = [
        *_by_counters(admission.counters, charged),
        *_by_distinct(admission.distinct, state),
    ]
    if not refusals:
        states = _states(admission, state, charged, members=state.members + (not state.seen))
        return Admitted(states=states, generation=generation)
    wait, name = max(refusals, key=itemgetter(0))
    unchanged = [
        charge_counter(counter, tat, state.now, 0)
        for counter, tat in zip(admission.counters, state.tats, strict=True)
    ]
    return Limited(
        name=name,
        retry_after=seconds(wait),
        states=_states(admission, state, unchanged, members=state.members),
        generation=generation,
    )


def read_states(query: LimitsQuery, state: StoreState) -> tuple[CounterState, ...]:
    """The remainders of quotas from a store's state."""
    decisions = [
        charge_counter(counter, tat, state.now, 0)
        for counter, tat in zip(query.counters, state.tats, strict=True)
    ]
    return _states(query, state, decisions, members=state.members)


def window_end(now: int, window: int) -> int:
    """The end of the fixed window of `window` seconds around `now`, in microseconds."""
    shifted = now // SECOND + DAY_STARTS
    return ((shifted // window + 1) * window - DAY_STARTS) * SECOND


def charge_counter(counter: Counter, tat: int, now: int, cost: int) -> gcra.GcraDecision:
    """GCRA for one counter."""
    return gcra.decide(tat, now, counter.quota, counter.window * SECOND, cost)


def seconds(microseconds: int) -> int:
    """Whole seconds, rounded up."""
    return -(-microseconds // SECOND)


def _by_counters(
    counters: Sequence[Counter], charged: Sequence[gcra.GcraDecision]
) -> list[tuple[int, str]]:
    """The wait and name of each counter whose cost does not fit."""
    judged = zip(counters, charged, strict=True)
    return [(found.retry_after, counter.name) for counter, found in judged if not found.allowed]


def _by_distinct(distinct: Distinct | None, state: StoreState) -> list[tuple[int, str]]:
    if distinct is None or state.seen or state.members < distinct.limit:
        return []
    return [(window_end(state.now, distinct.window) - state.now, distinct.name)]


def _states(
    admission: Admission | LimitsQuery,
    state: StoreState,
    decisions: Sequence[gcra.GcraDecision],
    *,
    members: int,
) -> tuple[CounterState, ...]:
    """The states after these decisions, with so many distinct members."""
    counters = tuple(map(_state, admission.counters, decisions))
    if admission.distinct is None:
        return counters
    return (*counters, _distinct_state(admission.distinct, state.now, members))


def _state(counter: Counter, decision: gcra.GcraDecision) -> CounterState:
    return CounterState(
        name=counter.name,
        quota=counter.quota,
        window=counter.window,
        remaining=decision.remaining,
        refill=seconds(decision.refill),
        reset=seconds(decision.reset),
    )


def _distinct_state(distinct: Distinct, now: int, members: int) -> CounterState:
    until_end = seconds(window_end(now, distinct.window) - now)
    return CounterState(
        name=distinct.name,
        quota=distinct.limit,
        window=distinct.window,
        remaining=max(0, distinct.limit - members),
        refill=until_end if members else 0,
        reset=until_end if members else 0,
    )
