"""Whoever notices first writes it: each event of a key is one leaf, however many workers look.

A worker asks the database only when something has happened to a key that it has not seen noted.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.statements import Statement
from gateway.db.unavailable import name_of
from gateway.signing.keys import KeyRing
from gateway.transparency.key_events import KeyEvent, due_events, leaf_hash
from gateway.transparency.log_leaf import new_salt

log = structlog.get_logger("gateway.key_events")

POLL_SECONDS = 0.5
# Of no enterprise, as operators' acts are.
NOTE = Statement("""
    WITH fresh AS (
        INSERT INTO log_event (event_id, event, salt, leaf_hash, at)
        VALUES (:event_id, :event, :salt, :leaf_hash, :at)
        ON CONFLICT (event_id) DO NOTHING
        RETURNING event_id, leaf_hash, at)
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    SELECT '', event_id, leaf_hash, at FROM fresh""")


@dataclass(slots=True, kw_only=True)
class KeyEventWriter:
    """Notes what happens to the keys of a ring, and lets the ring use what was noted."""

    engine: AsyncEngine
    keys: KeyRing
    now: Callable[[], datetime]
    _noted: set[str] = field(default_factory=set)
    _published: set[str] = field(default_factory=set)

    async def note(self) -> None:
        """Write what has happened and is not in the log yet: all of it, or nothing."""
        events = due_events(self.keys.newest(), self.now())
        fresh = [event for event in events if event.event_id not in self._noted]
        if fresh:
            async with self.engine.begin() as connection:
                for event in fresh:
                    await connection.execute(NOTE, _row(event))
        self._noted.update(event.event_id for event in fresh)
        self._published.update(event.key.kid for event in fresh)
        self.keys.only_logged(self._published)

    async def run(self) -> None:
        """Look until cancelled. Where the log cannot be written, the keys before stay in use."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.note()
            except Exception as error:  # noqa: BLE001  # whatever it was, it is tried again
                log.error("key_events_failed", kind=name_of(error))  # noqa: TRY400  # no data


def _row(event: KeyEvent) -> dict[str, object]:
    canonical, salt = event.canonical(), new_salt()
    return {
        "event_id": event.event_id,
        "event": canonical,
        "salt": salt,
        "leaf_hash": leaf_hash(canonical, salt),
        "at": event.at,
    }
