"""The verdict on an admission from a store's state; pure, and shared by both stores."""

from dataclasses import dataclass
from operator import itemgetter

from gateway.limits import gcra
from gateway.limits.gcra import SECOND
from gateway.limits.model import Admission, Admitted, Counter, CounterState, Distinct, Limited

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
    refusals = [*_by_counters(admission, state), *_by_distinct(admission.distinct, state)]
    if not refusals:
        return Admitted(states=_states(admission, state, charged=True), generation=generation)
    wait, name = max(refusals, key=itemgetter(0))
    return Limited(
        name=name,
        retry_after=seconds(wait),
        states=_states(admission, state, charged=False),
        generation=generation,
    )


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


def _by_counters(admission: Admission, state: StoreState) -> list[tuple[int, str]]:
    """The wait and name of each counter whose cost does not fit."""
    judged = (
        (counter.name, charge_counter(counter, tat, state.now, counter.cost))
        for counter, tat in zip(admission.counters, state.tats, strict=True)
    )
    return [(found.retry_after, name) for name, found in judged if not found.allowed]


def _by_distinct(distinct: Distinct | None, state: StoreState) -> list[tuple[int, str]]:
    if distinct is None or state.seen or state.members < distinct.limit:
        return []
    return [(window_end(state.now, distinct.window) - state.now, distinct.name)]


def _states(admission: Admission, state: StoreState, *, charged: bool) -> tuple[CounterState, ...]:
    counters = tuple(
        _state(counter, charge_counter(counter, tat, state.now, counter.cost if charged else 0))
        for counter, tat in zip(admission.counters, state.tats, strict=True)
    )
    if admission.distinct is None:
        return counters
    return (*counters, _distinct_state(admission.distinct, state, charged=charged))


def _state(counter: Counter, decision: gcra.GcraDecision) -> CounterState:
    return CounterState(
        name=counter.name,
        quota=counter.quota,
        window=counter.window,
        remaining=decision.remaining,
        reset=seconds(decision.reset),
    )


def _distinct_state(distinct: Distinct, state: StoreState, *, charged: bool) -> CounterState:
    members = state.members + (1 if charged and not state.seen else 0)
    until_end = seconds(window_end(state.now, distinct.window) - state.now)
    return CounterState(
        name=distinct.name,
        quota=distinct.limit,
        window=distinct.window,
        remaining=max(0, distinct.limit - members),
        reset=until_end if members else 0,
    )
