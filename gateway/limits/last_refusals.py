"""The last refusal of each client, for `GET /v1/limits`: noted at most once a second by one worker.

A note that the store does not take is lost; the refusal stands.
"""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.limits.store_protocol import LimiterUnavailableError, LimitStore

SELDOM: Final = timedelta(seconds=1)
REMEMBERED_CLIENTS: Final = 4_096


@dataclass(slots=True)
class LastRefusals:
    """Notes refusals in a limit store; a flood of them costs one note a second for each quota."""

    _noted: OrderedDict[tuple[str, str], datetime] = field(default_factory=OrderedDict)

    async def note(
        self, store: LimitStore, client_id: str, name: str, seconds: int, *, now: datetime
    ) -> None:
        """Note that the quota `name` refused a call of this client, and fits again after `seconds`."""
        key = (client_id, name)
        before = self._noted.get(key)
        if before is not None and now - before < SELDOM:
            return
        self._noted[key] = now
        self._noted.move_to_end(key)
        if len(self._noted) > REMEMBERED_CLIENTS:
            self._noted.popitem(last=False)
        with suppress(LimiterUnavailableError):
            await store.note_refusal(client_id, name, seconds)
