"""Writer of key events: each event of a signing key becomes one log leaf, whichever worker sees it first.

A worker queries the database only for events that it has not seen logged.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.background.periodic import run_periodically
from gateway.db.statements import Statement
from gateway.signing.keys import KeyRing
from gateway.transparency.disclosure_leaf import new_salt
from gateway.transparency.key_events import KeyEvent, due_events, leaf_hash

log = structlog.get_logger("gateway.key_events")

POLL_SECONDS = 0.5
NOTE = Statement("""
    INSERT INTO log_event (event_id, event, salt, leaf_hash, at)
    VALUES (:event_id, :event, :salt, :leaf_hash, :at)
    ON CONFLICT (event_id) DO NOTHING""")
# The empty USCC stands for no enterprise.
ADD_LEAF = Statement("""
    INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
    VALUES ('', :event_id, :leaf_hash, :at)""")


@dataclass(slots=True, kw_only=True)
class KeyEventWriter:
    """Logs the events of a key ring, and lets the ring sign with logged keys only."""

    engine: AsyncEngine
    keys: KeyRing
    now: Callable[[], datetime]
    _noted: set[str] = field(default_factory=set)
    _published: set[str] = field(default_factory=set)

    async def note(self) -> None:
        """Log all new events, in one transaction."""
        events = due_events(self.keys.newest(), self.now())
        fresh = [event for event in events if event.event_id not in self._noted]
        if fresh:
            async with self.engine.begin() as connection:
                for event in fresh:
                    row = _row(event)
                    if (await connection.execute(NOTE, row)).rowcount:
                        await connection.execute(ADD_LEAF, row)
        self._noted.update(event.event_id for event in fresh)
        self._published.update(event.key.kid for event in fresh)
        self.keys.only_logged(self._published)

    async def run(self) -> None:
        """Log new events until cancelled. If the log cannot be written, earlier keys stay in use."""
        await run_periodically(self.note, POLL_SECONDS, partial(log.error, "key_events_failed"))


def _row(event: KeyEvent) -> dict[str, object]:
    canonical, salt = event.canonical(), new_salt()
    return {
        "event_id": event.event_id,
        "event": canonical,
        "salt": salt,
        "leaf_hash": leaf_hash(canonical, salt),
        "at": event.at,
    }
