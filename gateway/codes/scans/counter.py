"""In-memory counts of scans, written at intervals by `background`: no I/O on a page's path. Pure.

A network is one of `BITS` bits, by a digest under the day's salt. Thousands of networks share each bit, yet
who holds the salt can exclude a network on that day, or find it likely where few bits are set. A network
counts once per code and interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple

from gateway.codes.scans.daily_salt import DailySalt
from gateway.creditfile.local_dates import day_of

BITS: Final = 1024
MAX_CODES: Final = 5_000
"""Codes per worker and interval; scans of further ones are not counted."""


class ScanKey(NamedTuple):
    """A code, and whether it was scanned after it was revoked."""

    code_id: str
    revoked: bool = False


@dataclass(slots=True)
class ScanCount:
    """Scans of one code in one interval, and the bits of their networks."""

    scans: int = 0
    networks: int = 0

    @property
    def bits(self) -> str:
        """The bits as PostgreSQL's `bit(1024)`."""
        return f"{self.networks:0{BITS}b}"


@dataclass(slots=True)
class ScanCounter:
    """The counts of one worker since it last wrote them."""

    salt: DailySalt = field(default_factory=DailySalt)
    _day: date | None = None
    _counts: dict[ScanKey, ScanCount] = field(default_factory=dict)

    def count(self, code_id: str, network: bytes, *, revoked: bool = False, now: datetime) -> None:
        """Count one scan; without the day's salt nothing is counted."""
        day = day_of(now)
        digest = self.salt.digest(network, day)
        if digest is None:
            return
        if self._day != day:
            self._day, self._counts = day, {}
        key = ScanKey(code_id, revoked)
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= MAX_CODES:
                return
            found = self._counts[key] = ScanCount()
        bit = 1 << int.from_bytes(digest[:4]) % BITS
        if not found.networks & bit:
            found.networks |= bit
            found.scans += 1

    def take(self) -> tuple[date | None, Mapping[ScanKey, ScanCount]]:
        """The day and its counts so far; counting restarts at zero."""
        taken = self._day, self._counts
        self._counts = {}
        return taken
