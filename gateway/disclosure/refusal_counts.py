"""In-memory counts of rate-limited refusals, written at intervals by `background`. Pure.

A flood of refusals costs the database one statement per interval.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

# Per client and interval; further enterprises are counted under `NO_ENTERPRISE`.
MAX_ENTERPRISES: Final = 100
MAX_COUNTS: Final = 5_000
NO_ENTERPRISE: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RefusalCount:
    """Key of a count: enterprise, client, kind, reason, hour (UTC)."""

    uscc: str
    client_id: str
    kind: str
    reason: str
    hour: datetime


@dataclass(slots=True)
class RefusalCounter:
    """The counts of one worker since it last wrote them."""

    _lines: Counter[RefusalCount] = field(default_factory=Counter)
    _enterprises: dict[str, set[str]] = field(default_factory=dict)

    def count(
        self, client_id: str, uscc: str | None, *, kind: str, reason: str, now: datetime
    ) -> None:
        """Count one refused attempt."""
        line = RefusalCount(
            uscc=self._named(client_id, uscc or NO_ENTERPRISE),
            client_id=client_id,
            kind=kind,
            reason=reason,
            hour=now.replace(minute=0, second=0, microsecond=0),
        )
        self._lines[line] += 1

    def take(self) -> dict[RefusalCount, int]:
        """The counts so far; counting restarts at zero."""
        taken, self._lines, self._enterprises = self._lines, Counter(), {}
        return dict(taken)

    def give_back(self, taken: dict[RefusalCount, int]) -> None:
        """Add counts that could not be written back."""
        self._lines.update(taken)

    def _named(self, client_id: str, uscc: str) -> str:
        """The enterprise, or `NO_ENTERPRISE` if this client has named too many."""
        named = self._enterprises.setdefault(client_id, set())
        if uscc in named:
            return uscc
        if len(named) >= MAX_ENTERPRISES or len(self._lines) >= MAX_COUNTS:
            return NO_ENTERPRISE
        named.add(uscc)
        return uscc
