"""Refusals whose number nothing bounds are counted in memory and written now and then: a flood of
them costs the database one statement per interval, whatever it names. Pure.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

# Of one client in one interval; what it names beyond that is counted under no enterprise.
MOST_ENTERPRISES: Final = 100
MOST_LINES: Final = 5_000
OF_NO_ENTERPRISE: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RefusalCount:
    """Who was refused, about whom, at what, why, and in which hour (UTC)."""

    uscc: str
    client_id: str
    kind: str
    reason: str
    hour: datetime


@dataclass(slots=True)
class RefusalCounter:
    """The counts of one worker since it last wrote them down."""

    _lines: Counter[RefusalCount] = field(default_factory=Counter)
    _enterprises: dict[str, set[str]] = field(default_factory=dict)

    def count(
        self, client_id: str, uscc: str | None, *, kind: str, reason: str, now: datetime
    ) -> None:
        """Count one refused attempt."""
        line = RefusalCount(
            uscc=self._named(client_id, uscc or OF_NO_ENTERPRISE),
            client_id=client_id,
            kind=kind,
            reason=reason,
            hour=now.replace(minute=0, second=0, microsecond=0),
        )
        self._lines[line] += 1

    def take(self) -> dict[RefusalCount, int]:
        """What was counted; the tally begins anew."""
        taken, self._lines, self._enterprises = self._lines, Counter(), {}
        return dict(taken)

    def give_back(self, taken: dict[RefusalCount, int]) -> None:
        """Count again what could not be written."""
        self._lines.update(taken)

    def _named(self, client_id: str, uscc: str) -> str:
        """The enterprise, or none where this client has named too many."""
        named = self._enterprises.setdefault(client_id, set())
        if uscc in named:
            return uscc
        if len(named) >= MOST_ENTERPRISES or len(self._lines) >= MOST_LINES:
            return OF_NO_ENTERPRISE
        named.add(uscc)
        return uscc
