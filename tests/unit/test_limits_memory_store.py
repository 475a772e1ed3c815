"""In-memory store: expiry, and bounded work for each call."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.limits.memory_store import SWEPT_PER_CALL, MemoryShard, MemoryStore
from gateway.limits.model import Admission, Admitted, Counter, Distinct, Pin, Replay
from tests.clock import Clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_admission(number: int) -> Admission:
    """A call with an entry of every kind."""
    return Admission(
        tag=f"client-{number}",
        generation=None,
        replay=Replay(key="jti", ttl=30),
        pin=Pin(key="k", value="v", ttl=30),
        counters=(Counter(name="c", key="k", quota=5, window=30),),
        distinct=Distinct(name="d", key="k", member="m", limit=5, window=30),
    )


@pytest.mark.asyncio
async def test_expired_entries_are_removed() -> None:
    """A few calls remove a hundred expired clients."""
    clock = Clock(NOON)
    store = MemoryStore(clock)
    for number in range(100):
        await store.admit(make_admission(number))
    assert len(store) == 400
    clock.advance(timedelta(hours=1))
    for _ in range(100 // SWEPT_PER_CALL + 1):
        await store.admit(Admission(tag="t", generation=None))
    assert len(store) == 0


@pytest.mark.asyncio
async def test_a_busy_day_of_one_client_stays_small() -> None:
    """Ten thousand charges are one entry."""
    clock = Clock(NOON)
    store = MemoryStore(clock)
    counter = Counter(name="day", key="k", quota=100_000, window=86_400)
    for number in range(10_000):
        clock.advance(timedelta(milliseconds=10))
        replay = Replay(key=str(number), ttl=1)
        verdict = await store.admit(
            Admission(tag="t", generation=None, replay=replay, counters=(counter,)),
        )
        assert isinstance(verdict, Admitted)
    assert len(store) < 150


def test_a_value_whose_expiry_moved_is_kept_until_the_later_one() -> None:
    """The later expiry counts."""
    shelf = MemoryShard[int]()
    shelf.put("k", 1, expires=10)
    shelf.put("k", 2, expires=20)
    shelf.sweep(now=15)
    assert shelf.get("k", now=15) == 2
    shelf.sweep(now=20)
    assert len(shelf) == 0


def test_one_sweep_is_bounded() -> None:
    """Regardless of how much has expired."""
    shelf = MemoryShard[int]()
    for number in range(1000):
        shelf.put(str(number), number, expires=1)
    shelf.sweep(now=2)
    assert len(shelf) == 1000 - SWEPT_PER_CALL
    assert shelf.get("999", now=2) is None
