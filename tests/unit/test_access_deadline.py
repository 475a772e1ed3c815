"""Deadline of a call: start, renewal by the body, long polls."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Message

from gateway.access.http.deadline import Deadline

pytestmark = pytest.mark.asyncio

SECONDS = 10.0


@pytest_asyncio.fixture
async def deadline() -> AsyncIterator[Deadline]:
    """That of a started call."""
    async with Deadline(SECONDS) as started:
        yield started


def left(deadline: Deadline) -> float:
    """Seconds left; infinite while the clock is stopped."""
    due = deadline.due
    return float("inf") if due is None else due - asyncio.get_running_loop().time()


async def test_a_call_has_its_time_from_its_beginning(deadline: Deadline) -> None:
    """Without renewal it ends."""
    assert 0 < left(deadline) <= SECONDS


async def test_time_stands_still_while_the_body_arrives(deadline: Deadline) -> None:
    """Each part renews it; receiving after the last part does not."""
    found: list[float] = []
    parts = iter([b"a", b"b", b""])

    async def receive() -> Message:
        found.append(left(deadline))
        body = next(parts, b"")
        return {"type": "http.request", "body": body, "more_body": bool(body)}

    receiving = deadline.receiving(receive)
    for _ in range(3):
        await receiving()
        assert 0 < left(deadline) <= SECONDS
    before = deadline.due
    await receiving()
    assert deadline.due == before
    assert found[:3] == [float("inf")] * 3
    assert found[3] <= SECONDS


async def test_a_long_poll_has_its_wait_beyond_its_time(deadline: Deadline) -> None:
    """At the start and at each renewal."""
    deadline.allow(30)
    assert SECONDS < left(deadline) <= SECONDS + 30
    deadline.renew()
    assert SECONDS < left(deadline) <= SECONDS + 30


async def test_a_call_that_is_renewed_outlives_its_first_deadline() -> None:
    """And one that stands still outlives any; both end when they are due at last."""
    ticks = 0

    async def call() -> None:
        nonlocal ticks
        async with Deadline(0.02) as deadline:
            deadline.due = None
            await asyncio.sleep(0.05)
            for _ in range(3):
                deadline.renew()
                ticks += 1
                await asyncio.sleep(0)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await call()
    assert ticks == 3


async def test_a_call_that_ends_in_time_is_not_cancelled_later() -> None:
    """Its timer ends with it."""
    async with Deadline(0.01):
        pass
    await asyncio.sleep(0.03)


async def test_an_expired_deadline_is_not_renewed() -> None:
    """A cancelled handler's cleanup gets no more time."""

    async def call() -> None:
        async with Deadline(0) as deadline:
            try:
                await asyncio.Event().wait()
            finally:
                deadline.renew()
                deadline.allow(30)

    with pytest.raises(TimeoutError):
        await call()


async def test_the_latency_counts_from_the_last_part(deadline: Deadline) -> None:
    """Of a call without a body from its beginning."""
    begun, arrivals = deadline.arrived, list[float]()
    parts = iter([True, False])

    async def receive() -> Message:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"a", "more_body": next(parts)}

    received = deadline.receiving(receive)
    for _ in range(2):
        await received()
        arrivals.append(deadline.arrived)
    assert begun < arrivals[0] < arrivals[1]
    assert deadline.since_arrival() >= 0
