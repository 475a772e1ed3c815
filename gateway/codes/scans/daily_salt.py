"""Daily salt of network digests: random, shared by the workers in the limiter, gone at midnight.

It is derived from nothing and stored in no database, so that digests of different days cannot be joined,
by the operator either.
"""

import hmac
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from gateway.creditfile.local_dates import SHANGHAI, day_of
from gateway.limits.store_protocol import LimitStore

DIGEST_BYTES: Final = 16


@dataclass(slots=True)
class DailySalt:
    """The salt of the present day, as this worker last saw it."""

    _day: date | None = None
    _salt: bytes = b""

    async def refresh(self, limiter: LimitStore, now: datetime) -> bool:
        """Read the day's salt; `False` if it has changed. `LimiterUnavailableError` forgets it."""
        before, day = (self._day, self._salt), day_of(now)
        self._day, self._salt = None, b""
        name = f"network-salt {day}"
        salt = (await limiter.shared_random(name, _seconds_left(now))).encode()
        self._day, self._salt = day, salt
        return before in {(None, b""), (day, salt)}

    def digest(self, network: bytes, day: date) -> bytes | None:
        """The digest of a network, of this day alone; `None` without the day's salt."""
        if self._day != day:
            return None
        return hmac.digest(self._salt, network, "sha256")[:DIGEST_BYTES]

    async def digest_or_refresh(self, limiter: LimitStore, network: bytes, now: datetime) -> bytes:
        """The digest, with the salt read where this worker has none; raises as `refresh`."""
        found = self.digest(network, day_of(now))
        if found is None:
            await self.refresh(limiter, now)
            found = self.digest(network, day_of(now))
        return found or b""


def _seconds_left(now: datetime) -> int:
    """Whole seconds to the end of the day in Shanghai, at least one."""
    local = now.astimezone(SHANGHAI)
    end = datetime.combine(local.date() + timedelta(days=1), time(), tzinfo=SHANGHAI)
    return max(1, int((end - local).total_seconds()))
