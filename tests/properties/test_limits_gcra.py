"""GCRA arithmetic: invariants for any quota, window, cost and rhythm of calls."""

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.limits.gcra import SECOND, decide, emission_interval

windows = st.integers(1, 90_000).map(lambda seconds: seconds * SECOND)
quotas = st.integers(1, 200_000)
NOW = 1_780_000_000 * SECOND


@st.composite
def runs(draw: st.DrawFn) -> tuple[int, int, list[tuple[int, int]]]:
    """A quota, a window, and calls as (pause in microseconds, cost)."""
    quota, window = draw(st.integers(1, 20)), draw(windows)
    pauses = st.one_of(st.just(0), st.integers(0, window // quota), st.integers(0, 2 * window))
    calls = draw(st.lists(st.tuples(pauses, st.integers(1, quota + 1)), max_size=60))
    return quota, window, calls


def played(run: tuple[int, int, list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Time and cost of each admitted call."""
    quota, window, calls = run
    tat, now, admitted = 0, NOW, []
    for pause, cost in calls:
        now += pause
        decision = decide(tat, now, quota, window, cost)
        tat = decision.tat
        if decision.allowed:
            admitted.append((now, cost))
    return admitted


@given(quotas, windows)
@example(7, 60 * SECOND)  # does not divide
def test_a_full_quota_lets_in_exactly_the_quota_at_once(quota: int, window: int) -> None:
    """In one burst, and not one more."""
    spent = decide(0, NOW, quota, window, quota)
    assert spent.allowed
    assert spent.remaining == 0
    assert not decide(spent.tat, NOW, quota, window, 1).allowed


@given(runs())
def test_no_interval_ever_admits_more_than_the_quota_and_what_refilled(
    run: tuple[int, int, list[tuple[int, int]]],
) -> None:
    """At most quota + quota * t / window in any interval of length t."""
    quota, window, _ = run
    admitted = played(run)
    for first, (start, _) in enumerate(admitted):
        total = 0
        for at, cost in admitted[first:]:
            total += cost
            assert total * window <= quota * window + quota * (at - start)


@given(runs(), st.integers(0, 10))
def test_a_refused_call_changes_nothing(
    run: tuple[int, int, list[tuple[int, int]]],
    more: int,
) -> None:
    """The theoretical arrival time stays."""
    quota, window, calls = run
    tat = 0
    for _, cost in calls:
        decision = decide(tat, NOW, quota, window, cost)
        if not decision.allowed:
            assert decision.tat == tat
        tat = decision.tat
    too_much = decide(tat, NOW, quota, window, quota + 1 + more)
    assert not too_much.allowed
    assert too_much.tat == tat


@given(runs())
def test_the_remaining_quota_can_be_spent(
    run: tuple[int, int, list[tuple[int, int]]],
) -> None:
    """0 ≤ remaining ≤ quota; `remaining` fits, one more does not."""
    quota, window, calls = run
    tat, now = 0, NOW
    for pause, cost in calls:
        now += pause
        decision = decide(tat, now, quota, window, cost)
        tat = decision.tat
        assert 0 <= decision.remaining <= quota
        assert decide(tat, now, quota, window, decision.remaining).allowed
        assert not decide(tat, now, quota, window, decision.remaining + 1).allowed


@given(quotas, windows, st.integers(0, 200_000), st.integers(0, 90_000 * SECOND))
def test_after_refill_one_more_remains_and_not_before(
    quota: int, window: int, spent: int, pause: int
) -> None:
    """Whatever was spent, and after whatever pause."""
    tat = decide(0, NOW, quota, window, min(spent, quota)).tat
    now = NOW + pause
    found = decide(tat, now, quota, window, 0)
    assert (found.refill == 0) == (found.reset == 0) == (found.remaining == quota)
    if found.refill:
        assert found.refill <= found.reset
        assert decide(tat, now + found.refill, quota, window, 0).remaining == found.remaining + 1
        assert decide(tat, now + found.refill - 1, quota, window, 0).remaining == found.remaining


@given(runs())
def test_the_arrival_time_never_goes_back(run: tuple[int, int, list[tuple[int, int]]]) -> None:
    """For any rhythm of calls."""
    quota, window, calls = run
    tat, now = 0, NOW
    for pause, cost in calls:
        now += pause
        after = decide(tat, now, quota, window, cost).tat
        assert after >= tat
        tat = after


@given(quotas, windows, st.data())
def test_retry_after_is_the_very_moment_at_which_the_call_fits(
    quota: int,
    window: int,
    data: st.DataObject,
) -> None:
    """One microsecond earlier it does not fit."""
    cost = data.draw(st.integers(1, quota))
    empty = decide(0, NOW, quota, window, quota).tat
    wait = decide(empty, NOW, quota, window, cost).retry_after
    assert wait > 0
    assert decide(empty, NOW + wait, quota, window, cost).allowed
    assert not decide(empty, NOW + wait - 1, quota, window, cost).allowed


@given(quotas, windows, st.integers(0, 200_000))
def test_after_reset_the_quota_is_full(quota: int, window: int, wanted: int) -> None:
    """Not before `reset`."""
    decision = decide(0, NOW, quota, window, min(wanted, quota))
    full = decide(decision.tat, NOW + decision.reset, quota, window, 0)
    assert full.remaining == quota
    assert full.reset == 0
    if decision.reset:
        assert decide(decision.tat, NOW + decision.reset - 1, quota, window, 0).remaining < quota


@given(quotas, windows, st.integers(0, 2 * SECOND))
def test_a_clock_that_goes_back_gives_nothing_away(quota: int, window: int, back: int) -> None:
    """An earlier clock leaves no more than before, and at least zero."""
    decision = decide(0, NOW, quota, window, 1)
    earlier = decide(decision.tat, NOW - back, quota, window, 0)
    assert 0 <= earlier.remaining <= decision.remaining


@given(quotas, windows)
def test_numbers_stay_whole_in_a_double(quota: int, window: int) -> None:
    """Redis's Lua uses doubles: all values are below 2**53."""
    assert (
        decide(0, NOW, quota, window, quota).tat + quota * emission_interval(quota, window) < 2**53
    )
