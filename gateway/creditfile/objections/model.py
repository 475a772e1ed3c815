"""An objection is about one record of one enterprise; while it is not closed, the record is marked.

Its text goes to the record's source, to the reviewer and back to the enterprise: to no client.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class ObjectionKind(StrEnum):
    """What it is called, and whose deadlines hold."""

    OBJECTION = "objection"
    RATING_APPEAL = "rating_appeal"
    """R15: an error of a rating."""


class Status(StrEnum):
    """Who has to act next."""

    OPEN = "open"
    """The source decides."""
    DECIDED = "decided"
    """The source has decided; the enterprise may ask for a review."""
    IN_REVIEW = "in_review"
    """The reviewer decides."""
    ORDERED = "ordered"
    """The review found for the enterprise: the source corrects."""
    CLOSED = "closed"
    """Final; the mark is gone."""


class ObjectionOutcome(StrEnum):
    """What was decided, or became of it."""

    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """By the enterprise, before anything was decided."""
    RECORD_DELETED = "record_deleted"
    """Retention ended, and the record and all texts about it are gone."""


DECISIONS = (ObjectionOutcome.UPHELD, ObjectionOutcome.PARTLY, ObjectionOutcome.REJECTED)


class ObjectionAct(StrEnum):
    """What was done; each is an event of its own."""

    RAISED = "raised"
    EXTENDED = "extended"
    DECIDED = "decided"
    REVIEW_ASKED = "review_asked"
    REVIEWED = "reviewed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """The time to ask for a review has passed."""
    RECOUNTED = "recounted"
    """A provisional last day was counted again by a newer calendar."""
    FORGOTTEN = "forgotten"
    """The record was deleted, and the texts with it."""


class Role(StrEnum):
    """In what capacity somebody acts."""

    ENTERPRISE = "enterprise"
    SOURCE = "source"
    REVIEWER = "reviewer"
    CLOCK = "clock"
    """Nobody: time has passed."""


class RefusalReason(StrEnum):
    """Why an act was not done. Nothing was changed then."""

    NOT_AVAILABLE = "not_available"
    """There is no such record or objection for this actor."""
    ALREADY_OPEN = "already_open"
    TOO_SOON = "too_soon"
    """The same version was objected to, and finally decided, a short while ago."""
    NOT_NOW = "not_now"
    """Its state does not allow this act (any more)."""
    ALREADY_EXTENDED = "already_extended"
    TOO_LATE = "too_late"
    NOT_LATER = "not_later"
    """An extension gives more time, and no more than there is."""
    NOT_CORRECTED = "not_corrected"
    """What is upheld must have been corrected or withdrawn first."""
    MUST_CORRECT = "must_correct"
    """A review has ordered it: rejecting is no choice any more."""
    OWN_DECISION = "own_decision"
    """Nobody reviews a decision of their own."""
    MOVED = "moved"
    """Somebody else acted at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRefused:
    """An expected no."""

    reason: RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: `name` is a person, a client or an operator; `of` the USCC or source acted for."""

    role: Role
    name: str
    of: str = ""
    identity_token_digest: bytes | None = field(default=None, repr=False)


NOBODY = Actor(role=Role.CLOCK, name="clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionGround:
    """The record objected to, as it stood then."""

    uscc: str
    dataset: str
    record_id: str
    record_version: int
    source_id: str
    source_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One objection as it stands. `due_on` is the last day of whoever `status` says is next."""

    uscc: str
    objection_id: str
    kind: ObjectionKind
    dataset: str
    record_id: str
    record_version: int
    """The version that is disputed: an upheld one must have a newer, or have ended."""
    source_id: str
    source_name: str
    status: Status
    outcome: ObjectionOutcome | None = None
    text: str | None = field(repr=False)
    wanted: str | None = field(repr=False)
    reasons: str | None = field(default=None, repr=False)
    """The source's."""
    review_text: str | None = field(default=None, repr=False)
    review_reasons: str | None = field(default=None, repr=False)
    raised_at: datetime
    due_on: date | None
    due_provisional: bool = False
    latest_on: date
    """The last day of the source's time, were it extended."""
    extended_at: datetime | None = None
    decided_at: datetime | None = None
    review_asked_at: datetime | None = None
    reviewed_at: datetime | None = None
    final_at: datetime | None = None
    version: int = 0

    @property
    def marks(self) -> bool:
        """Whether the record carries the mark for it: until the final decision, and no longer."""
        return self.status is not Status.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionEvent:
    """One act on one objection: who, when, what came of it, why."""

    uscc: str
    objection_id: str
    seq: int
    what: ObjectionAct
    role: Role
    actor: str
    at: datetime
    outcome: ObjectionOutcome | None = None
    reason: str | None = field(default=None, repr=False)
    due_on: date | None = None
    identity_token_digest: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionChanged:
    """An objection after an act, and the act."""

    objection: Objection
    event: ObjectionEvent
