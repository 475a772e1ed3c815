"""Lua script and Python arithmetic of the limiter, compared call by call."""

import contextlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.limits import script
from gateway.limits.decision import window_end
from gateway.limits.gcra import SECOND, GcraDecision, decide
from gateway.limits.model import Admission, Admitted, Counter, Distinct
from tests.servers.redis_server import RedisServer

costs = st.lists(st.integers(0, 12), min_size=1, max_size=8)
policies = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 90_000)), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def redis() -> Iterator[Any]:
    """A client of this module's Redis."""
    with RedisServer() as server, contextlib.closing(server.client()) as client:
        yield client


@settings(max_examples=60)
@given(policies=policies, costs=costs)
@example(policies=[(SECOND, 1)], costs=[SECOND, 50_000])  # a refusal by milliseconds
def test_redis_keeps_what_the_arithmetic_says(
    redis: Any,
    policies: list[tuple[int, int]],
    costs: list[int],
) -> None:
    """Counters as computed by `decide`, or unchanged if one refuses."""
    tag = uuid4().hex
    expected = [0] * len(policies)
    for cost in costs:
        admission = Admission(tag=tag, generation=None, counters=tuple(_counters(policies, cost)))
        reply: list[Any] = redis.eval(script.TEXT, *script.arguments(admission))
        _, now, _, _, *before = reply
        assert all(
            int(found) == tat or tat <= now + SECOND // 1000
            for found, tat in zip(before, expected, strict=True)
        )
        pairs = zip(admission.counters, before, strict=True)
        decisions = [_decided(counter, int(tat), now) for counter, tat in pairs]
        admitted = all(decision.allowed for decision in decisions)
        assert isinstance(script.verdict(admission, reply, "g"), Admitted) == admitted
        expected = [decision.tat for decision in decisions] if admitted else list(map(int, before))
        assert _kept(redis, admission, now) == [tat for tat in expected if tat > now + SECOND]


@given(st.integers(1, 200_000), st.integers(0, 2_000_000_000))
def test_a_window_holds_the_moment_that_it_was_asked_for(window: int, second: int) -> None:
    """It ends after that moment, at most one window later."""
    end = window_end(second * SECOND, window)
    assert second * SECOND < end <= (second + window) * SECOND


def test_a_day_ends_at_midnight_in_beijing() -> None:
    """16:00 UTC, all year."""
    noon = 1_795_348_800  # 2026-11-22T12:00:00Z
    assert window_end(noon * SECOND, 86_400) == (noon + 4 * 3600) * SECOND


@pytest.mark.parametrize("window", [7, 3600, 86_400, 604_800])
def test_the_script_ends_a_window_when_the_arithmetic_does(redis: Any, window: int) -> None:
    """The set of members expires at that second."""
    distinct = Distinct(name="d", key="k", member="m", limit=1, window=window)
    admission = Admission(tag=uuid4().hex, generation=None, distinct=distinct)
    arguments = script.arguments(admission)
    _, now, *_ = redis.eval(script.TEXT, *arguments)
    assert redis.expiretime(arguments[3]) * SECOND == window_end(now, window)


def _counters(policies: list[tuple[int, int]], cost: int) -> Iterator[Counter]:
    for number, (quota, window) in enumerate(policies):
        yield Counter(name=f"c{number}", key="k", quota=quota, window=window, cost=cost)


def _decided(counter: Counter, tat: int, now: int) -> GcraDecision:
    return decide(tat, now, counter.quota, counter.window * SECOND, counter.cost)


def _kept(redis: Any, admission: Admission, now: int) -> list[int]:
    """Entries with at least a second left."""
    keys = script.arguments(admission)[4 : 4 + len(admission.counters)]
    values = (int(str(redis.get(str(key)) or 0)) for key in keys)
    return [value for value in values if value > now + SECOND]
