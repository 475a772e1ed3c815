"""Notice kinds, when each is sent (at once or in a daily digest), and the delay before a retry. Pure."""

from datetime import datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8))
DIGEST_TIME: Final = time(9, 0)
EXPIRY_NOTICE_PERIOD: Final = timedelta(days=7)


class NoticeKind(StrEnum):
    """The kinds of notice. Append-only: the values are stored in the database."""

    CONSENT_ASKED = "consent_asked"
    CONSENT_LEFT_OPEN = "consent_left_open"
    """A redirect request was opened on its decision page and not decided."""
    CONSENT_GRANTED = "consent_granted"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_AMENDED = "consent_amended"
    CONSENT_PAUSED = "consent_paused"
    CONSENT_RESUMED = "consent_resumed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_ENDING = "consent_ending"
    OBJECTION_DECIDED = "objection_decided"
    REPAIR_NOT_GRANTED = "repair_not_granted"
    DELEGATE_APPOINTED = "delegate_appointed"
    DELEGATE_ACCEPTED = "delegate_accepted"
    DELEGATE_ENDED = "delegate_ended"
    REPRESENTATIVE_CHANGED = "representative_changed"
    BAD_RECORD_ARRIVED = "bad_record_arrived"
    RECORD_REPAIRED = "record_repaired"
    RECORD_SUSPENDED = "record_suspended"
    RECORD_REINSTATED = "record_reinstated"
    REPAIR_REVOKED = "repair_revoked"
    CODE_MISUSED = "code_misused"
    CODE_ISSUED = "code_issued"
    """By the registering authority or the operator, in place of another code too."""
    CODE_REVOKED = "code_revoked"
    OUTCOME_TOLD = "outcome_told"
    """A client told what became of an application, beside its query."""
    CREDIT_REPORT_MADE = "credit_report_made"


IN_DAILY_DIGEST: Final = frozenset(
    {
        NoticeKind.CONSENT_ASKED,
        NoticeKind.CONSENT_LEFT_OPEN,
        NoticeKind.CONSENT_ENDING,
        NoticeKind.OBJECTION_DECIDED,
        NoticeKind.BAD_RECORD_ARRIVED,
        NoticeKind.REPAIR_NOT_GRANTED,
        NoticeKind.CODE_ISSUED,
        NoticeKind.OUTCOME_TOLD,
    }
)
OF_SOURCES: Final = frozenset(
    {
        NoticeKind.BAD_RECORD_ARRIVED,
        NoticeKind.RECORD_REPAIRED,
        NoticeKind.RECORD_SUSPENDED,
        NoticeKind.RECORD_REINSTATED,
        NoticeKind.REPAIR_REVOKED,
        NoticeKind.CODE_MISUSED,
        NoticeKind.CODE_ISSUED,
        NoticeKind.CODE_REVOKED,
    }
)
"""Kinds on acts of a department, not of the enterprise's own people."""


def due_at(kind: NoticeKind, now: datetime) -> datetime:
    """The time to send a notice: now, or with the next digest at 9:00 in Shanghai."""
    if kind not in IN_DAILY_DIGEST:
        return now
    here = now.astimezone(SHANGHAI)
    nine = datetime.combine(here.date(), DIGEST_TIME, tzinfo=SHANGHAI)
    return nine if here < nine else nine + timedelta(days=1)


def retry_delay(failures: int) -> timedelta:
    """Exponential backoff after a number of failures: from one minute to six hours."""
    return min(timedelta(minutes=2 ** min(failures, 10) // 2), timedelta(hours=6))
