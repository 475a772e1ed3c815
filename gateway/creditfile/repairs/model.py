"""Application for repair (信用修复申请), its states and refusal reasons.

Statement and papers are shown to the source and the enterprise, never to a client.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

APPLICATION_ID: Final = re.compile(r"rep_[a-z2-7]{26}")


class ApplicationStatus(StrEnum):
    """State of an application."""

    OPEN = "open"
    """Awaits the source's decision."""
    ACCEPTED = "accepted"
    """The record is repaired."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """Withdrawn by the enterprise."""
    OVERTAKEN = "overtaken"
    """The record was repaired, withdrawn or taken off its list without a decision on the application."""


class ApplicationRefusal(StrEnum):
    """Why an act was refused; nothing was changed."""

    NOT_AVAILABLE = "not_available"
    """No such record or application for this party."""
    NOT_REPAIRABLE = "not_repairable"
    """The shortest publicity is not over, or there is nothing to repair."""
    ALREADY_OPEN = "already_open"
    TOO_SOON = "too_soon"
    """Another application was closed a short while ago."""
    NOT_NOW = "not_now"
    """It is decided or withdrawn."""
    RECORD_WITHDRAWN = "record_withdrawn"
    """A withdrawn record is not repaired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper of an application: its digest only; the paper itself is not kept."""

    name: str = field(repr=False)
    size: int
    """In bytes."""
    sha256: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairApplication:
    """One application to repair one record."""

    uscc: str
    application_id: str
    dataset: str
    record_id: str
    source_id: str
    source_name: str
    status: ApplicationStatus
    statement: str = field(repr=False)
    papers: tuple[Paper, ...] = field(default=(), repr=False)
    applied_at: datetime
    applied_by: str
    """The person, who has made the commitment."""
    identity_token_digest: bytes | None = field(default=None, repr=False)
    due_on: date
    due_provisional: bool
    reason: str | None = field(default=None, repr=False)
    """Reason of the source."""
    closed_at: datetime | None = None
    closed_by: str | None = None

    @property
    def is_open(self) -> bool:
        """True if it awaits a decision."""
        return self.status is ApplicationStatus.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFollowed:
    """A platform that has followed a repair, and the day."""

    platform: str
    followed_on: date
