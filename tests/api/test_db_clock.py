"""A machine whose clock is not the database's."""

import time

import pytest

from gateway.db.clock import MOST_SECONDS, clock_sentence, least_difference, seconds_ahead
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("before", "other", "after", "ahead"),
    [(10, 10, 10, 0), (10, 14, 18, 0), (10, 5, 18, 5), (10, 20, 18, -2), (10, 19, 19, 0)],
)
async def test_a_slow_answer_is_no_difference(
    before: float, other: float, after: float, ahead: float
) -> None:
    assert least_difference(before, other, after) == ahead


async def test_a_clock_that_is_hours_off_is_found_and_named(gateway: GatewayFixture) -> None:
    """On either side; the machine's own clock is the database's in tests."""
    hot = gateway.runtime.hot
    assert clock_sentence(await seconds_ahead(hot)) is None
    for seconds, side in ((7_200, "ahead of"), (-7_200, "behind")):

        def clock(off: int = seconds) -> float:
            return time.time() + off

        off = await seconds_ahead(hot, clock)
        assert side in (clock_sentence(off) or "")
    assert clock_sentence(MOST_SECONDS) is None
    assert clock_sentence(-MOST_SECONDS - 1) is not None
