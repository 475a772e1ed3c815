"""Own credit report as stored, its state, and why one is not made. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

MOST_LIVING: Final = 50
"""Reports of one enterprise that are neither taken back nor over."""
MOST_A_DAY: Final = 20
"""Reports made for one enterprise within 24 hours."""
LONGEST_TERM: Final = timedelta(days=90)
LONGEST_SPAN_YEARS: Final = 5
DISSOLVED: Final = frozenset({"revoked_deregistered", "deregistered", "annulled"})
"""Registration statuses of an enterprise that is no more: it makes no report."""


class ReportState(StrEnum):
    """State of a report."""

    VALID = "valid"
    NEWER_RECORDS = "newer_records"
    """It holds as of its date; within what was chosen there are newer records."""
    TAKEN_BACK = "taken_back"
    EXPIRED = "expired"
    CHANGED = "changed"
    """A record in it has changed, or is told no more; or the enterprise's name or status is another."""

    @property
    def is_shown(self) -> bool:
        """True where the page shows the report's contents."""
        return self in {ReportState.VALID, ReportState.NEWER_RECORDS}


class ReportRefusal(StrEnum):
    """Reason why no report was made; nothing was written."""

    DISSOLVED = "dissolved"
    TOO_MANY = "too_many"
    TOO_MANY_TODAY = "too_many_today"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report as it lies in the database."""

    uscc: str
    report_id: str
    number: bytes
    """Encrypted."""
    recipient: bytes | None
    """Encrypted."""
    file: bytes | None
    """The signed document, encrypted; `None` once it was deleted."""
    digests: tuple[str, ...]
    registration_status: str
    created_at: datetime
    valid_until: datetime
    taken_back_at: datetime | None

    def end_at(self, now: datetime) -> ReportState | None:
        """Its end by the enterprise or by its term; `None` if it has not come."""
        if self.taken_back_at is not None:
            return ReportState.TAKEN_BACK
        return ReportState.EXPIRED if now >= self.valid_until or self.file is None else None
