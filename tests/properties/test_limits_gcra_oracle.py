"""GCRA against an independent implementation, throttled-py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
import throttled
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits.gcra import SECOND, decide

TICK = (
    SECOND // 64
)  # so long, and so many of them, that both count exactly: ours whole, theirs in binary
START = 1000.0


class OracleClock:
    """The oracle's clock, in seconds: it takes none, and reads this one through its module."""

    now = START

    def __call__(self) -> float:
        return self.now


CLOCK = OracleClock()


@pytest.fixture(scope="module", autouse=True)
def oracle_clock() -> Iterator[None]:
    """While these tests run, throttled-py has the clock of the test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("throttled.utils.now_mono_f", CLOCK)
        yield


def oracle(quota: int, interval: int) -> throttled.Throttled:
    """A quota that is refilled by one in each interval, of so many seconds."""
    period = timedelta(seconds=quota * interval)
    return throttled.Throttled(
        using="gcra",
        quota=throttled.rate_limiter.per_duration(period, limit=quota, burst=quota),
        store=throttled.store.MemoryStore(),
    )


@given(
    st.integers(1, 20),
    st.integers(1, 90),
    st.lists(st.tuples(st.integers(0, 12_000), st.integers(1, 21)), min_size=1, max_size=40),
)
def test_both_admit_the_same_calls_and_say_the_same_of_them(
    quota: int, interval: int, calls: Sequence[tuple[int, int]]
) -> None:
    """Verdict, what remains, when it fits and when the quota is full, call by call."""
    theirs, tat, ticks = oracle(quota, interval), 0, 0
    for pause, cost in calls:
        ticks += pause
        CLOCK.now = START + ticks / 64
        now = int(START) * SECOND + ticks * TICK
        found = decide(tat, now, quota, quota * interval * SECOND, cost)
        expected = theirs.limit("key", cost=cost)
        tat = found.tat
        assert found.allowed != expected.limited
        assert found.remaining == expected.state.remaining
        assert found.reset == expected.state.reset_after * SECOND
        if cost <= quota:
            assert found.retry_after == expected.state.retry_after * SECOND
