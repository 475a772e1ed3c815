"""Notes of refusals: at most one a second for each client and quota, and never an error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.limits.last_refusals import REMEMBERED_CLIENTS, LastRefusals
from gateway.limits.memory_store import MemoryStore
from gateway.limits.store_protocol import LimiterUnavailableError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class RecordingStore(MemoryStore):
    """A store that records its notes, and can be out of reach."""

    def __init__(self) -> None:
        super().__init__(lambda: NOW)
        self.noted: list[tuple[str, str, int]] = []
        self.reachable = True

    async def note_refusal(self, tag: str, name: str, seconds: int) -> None:
        """Record it, or raise as an unreachable store does."""
        if not self.reachable:
            raise LimiterUnavailableError
        self.noted.append((tag, name, seconds))


async def test_a_flood_of_refusals_is_one_note_a_second() -> None:
    """For each client and quota by itself."""
    store, notes = RecordingStore(), LastRefusals()
    for step in range(30):
        now = NOW + timedelta(milliseconds=100 * step)
        await notes.note(store, "bank", "client", 5, now=now)
        await notes.note(store, "bank", "client_day", 9, now=now)
    await notes.note(store, "other", "client", 5, now=NOW)
    assert store.noted.count(("bank", "client", 5)) == 3
    assert store.noted.count(("bank", "client_day", 9)) == 3
    assert store.noted.count(("other", "client", 5)) == 1


async def test_a_note_that_is_not_taken_is_no_error() -> None:
    """The refusal is answered all the same."""
    store = RecordingStore()
    store.reachable = False
    await LastRefusals().note(store, "bank", "client", 5, now=NOW)
    assert store.noted == []


async def test_memory_is_bounded() -> None:
    """However many clients there are."""
    store, notes = RecordingStore(), LastRefusals()
    for each in range(REMEMBERED_CLIENTS + 10):
        await notes.note(store, f"c{each}", "client", 5, now=NOW)
    assert len(notes._noted) == REMEMBERED_CLIENTS
