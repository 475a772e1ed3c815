"""Pacing of the load generator: an open loop does not wait for slow answers."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

import pytest

from tests.bench.pacing import Closed, Open, Pace
from tests.waiting import PATIENCE

RATE = 1_000.0
SLOW = 0.02  # seconds: twenty times what lies between two requests


@dataclass(slots=True)
class SlowConnection:
    """A connection whose answers take their time."""

    pace: Pace
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    moments: list[float] = field(default_factory=list)

    def send_next(self) -> None:
        """Note when the request was due; its answer comes later."""
        loop = asyncio.get_running_loop()
        due = self.pace.due(self, time.perf_counter())
        if due is not None:
            self.moments.append(due)
            loop.call_later(SLOW, self.send_next)

    def finish(self) -> None:
        """No request is left."""
        self.ended.set()


async def test_requests_at_a_fixed_rate_are_due_at_it_however_slow_the_answers_are() -> None:
    """One connection is busy all the time: the others wait in line, and each keeps its moment."""
    pace = Open(rate=RATE, seconds=5 / RATE)
    connection = SlowConnection(pace)
    pace.begin([connection])
    await asyncio.wait_for(connection.ended.wait(), PATIENCE)
    between = [later - earlier for earlier, later in itertools.pairwise(connection.moments)]
    assert between == pytest.approx([1 / RATE] * 4)


@pytest.mark.parametrize(("seconds", "is_over"), [(PATIENCE, False), (-1.0, True)])
async def test_a_closed_loop_sends_at_once_until_its_time_is_over(
    *, seconds: float, is_over: bool
) -> None:
    """A request is due when its connection is free, and none after the end."""
    pace = Closed(seconds=seconds)
    connection = SlowConnection(pace)
    pace.begin([connection])
    assert (len(connection.moments), connection.ended.is_set()) == (int(not is_over), is_over)
