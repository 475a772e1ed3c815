"""What an enterprise is told of, and when: decisions at once, the rest once a day. Pure."""

from datetime import datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Final

SHANGHAI: Final = timezone(timedelta(hours=8))
DIGEST_AT: Final = time(9, 0)
ENDS_WITHIN: Final = timedelta(days=7)


class NoticeKind(StrEnum):
    """Append-only: these words are in stored rows."""

    CONSENT_ASKED = "consent_asked"
    CONSENT_LEFT_OPEN = "consent_left_open"
    """Somebody who may decide opened a request of the redirect kind, and left it."""
    CONSENT_GRANTED = "consent_granted"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_AMENDED = "consent_amended"
    CONSENT_PAUSED = "consent_paused"
    CONSENT_RESUMED = "consent_resumed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_ENDING = "consent_ending"
    OBJECTION_DECIDED = "objection_decided"
    DELEGATE_APPOINTED = "delegate_appointed"
    DELEGATE_ACCEPTED = "delegate_accepted"
    DELEGATE_ENDED = "delegate_ended"
    REPRESENTATIVE_CHANGED = "representative_changed"


WITH_THE_DIGEST: Final = frozenset(
    {
        NoticeKind.CONSENT_ASKED,
        NoticeKind.CONSENT_LEFT_OPEN,
        NoticeKind.CONSENT_ENDING,
        NoticeKind.OBJECTION_DECIDED,
    }
)


def due_at(kind: NoticeKind, now: datetime) -> datetime:
    """When it is sent: now, or at the next nine o'clock in Shanghai."""
    if kind not in WITH_THE_DIGEST:
        return now
    here = now.astimezone(SHANGHAI)
    nine = datetime.combine(here.date(), DIGEST_AT, tzinfo=SHANGHAI)
    return nine if here < nine else nine + timedelta(days=1)


def backoff(failures: int) -> timedelta:
    """How long to wait after this many failures: a minute, doubled, six hours at most."""
    return min(timedelta(minutes=2 ** min(failures, 10) // 2), timedelta(hours=6))
