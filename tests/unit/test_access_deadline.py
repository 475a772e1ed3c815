"""Deadline of a call: start, renewal by the body, long polls."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Message

from gateway.access.deadline import Deadline

pytestmark = pytest.mark.asyncio

SECONDS = 10.0
Timed = tuple[asyncio.Timeout, Deadline]


@pytest_asyncio.fixture
async def timed() -> AsyncIterator[Timed]:
    """A started call."""
    async with asyncio.timeout(None) as timer:
        yield timer, Deadline(timer, SECONDS)


def left(timer: asyncio.Timeout) -> float:
    """Seconds left; infinite while the clock is stopped."""
    when = timer.when()
    return float("inf") if when is None else when - asyncio.get_running_loop().time()


async def test_a_call_has_its_time_from_its_beginning(timed: Timed) -> None:
    """Without renewal it ends."""
    assert 0 < left(timed[0]) <= SECONDS


async def test_time_stands_still_while_the_body_arrives(timed: Timed) -> None:
    """Each part renews it; receiving after the last part does not."""
    timer, deadline = timed
    found: list[float] = []
    parts = iter([b"a", b"b", b""])

    async def receive() -> Message:
        found.append(left(timer))
        body = next(parts, b"")
        return {"type": "http.request", "body": body, "more_body": bool(body)}

    receiving = deadline.receiving(receive)
    for _ in range(3):
        await receiving()
        assert 0 < left(timer) <= SECONDS
    before = timer.when()
    await receiving()
    assert timer.when() == before
    assert found[:3] == [float("inf")] * 3
    assert found[3] <= SECONDS


async def test_a_long_poll_has_its_wait_beyond_its_time(timed: Timed) -> None:
    """At the start and at each renewal."""
    timer, deadline = timed
    deadline.allow(30)
    assert SECONDS < left(timer) <= SECONDS + 30
    deadline.renew()
    assert SECONDS < left(timer) <= SECONDS + 30


async def test_an_expired_deadline_is_not_renewed() -> None:
    """A cancelled handler's cleanup gets no more time."""

    async def call() -> None:
        async with asyncio.timeout(None) as timer:
            deadline = Deadline(timer, 0)
            try:
                await asyncio.Event().wait()
            finally:
                deadline.renew()
                deadline.allow(30)

    with pytest.raises(TimeoutError):
        await call()
