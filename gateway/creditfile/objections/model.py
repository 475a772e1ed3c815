"""Objection, its states, acts and refusal reasons.

While an objection is not closed, its record carries a mark. Its texts are shown to the source, the
reviewer and the enterprise, never to a client.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class ObjectionKind(StrEnum):
    """Kind of objection; determines the deadlines."""

    OBJECTION = "objection"
    RATING_APPEAL = "rating_appeal"
    """R15: an error of a rating."""


class Status(StrEnum):
    """State of an objection: who has to act next."""

    OPEN = "open"
    """Awaits the source's decision."""
    DECIDED = "decided"
    """Decided; the enterprise may ask for a review."""
    IN_REVIEW = "in_review"
    """Awaits the reviewer's decision."""
    ORDERED = "ordered"
    """The review found for the enterprise; awaits the source's correction."""
    CLOSED = "closed"
    """Final; the record's mark is removed."""


class ObjectionOutcome(StrEnum):
    """Outcome of an objection."""

    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    """Withdrawn by the enterprise before a decision."""
    RECORD_DELETED = "record_deleted"
    """The record and all texts about it were deleted at the end of retention."""


DECISIONS = (ObjectionOutcome.UPHELD, ObjectionOutcome.PARTLY, ObjectionOutcome.REJECTED)


class ObjectionAct(StrEnum):
    """Acts on an objection; each is recorded as an event."""

    RAISED = "raised"
    EXTENDED = "extended"
    DECIDED = "decided"
    REVIEW_ASKED = "review_asked"
    REVIEWED = "reviewed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    """The term for a review has passed."""
    RECOUNTED = "recounted"
    """A provisional deadline was recomputed with a newer calendar."""
    FORGOTTEN = "forgotten"
    """The record was deleted, and the texts with it."""


class Role(StrEnum):
    """Capacity of an actor."""

    ENTERPRISE = "enterprise"
    SOURCE = "source"
    REVIEWER = "reviewer"
    CLOCK = "clock"
    """No person: a deadline has passed."""


class RefusalReason(StrEnum):
    """Why an act was refused; nothing was changed."""

    NOT_AVAILABLE = "not_available"
    """No such record or objection for this actor."""
    ALREADY_OPEN = "already_open"
    TOO_SOON = "too_soon"
    """An objection to the same version was recently closed."""
    NOT_NOW = "not_now"
    """The state does not allow this act."""
    ALREADY_EXTENDED = "already_extended"
    TOO_LATE = "too_late"
    NOT_LATER = "not_later"
    """An extension must end later, within the maximum term."""
    NOT_CORRECTED = "not_corrected"
    """A record must be corrected or withdrawn before its objection is upheld."""
    MUST_CORRECT = "must_correct"
    """After a review for the enterprise, rejecting is not possible."""
    OWN_DECISION = "own_decision"
    """A source may not review its own decision."""
    MOVED = "moved"
    """Concurrent act by another party."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRefused:
    """A refused act."""

    reason: RefusalReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Actor: `name` is a person, client or operator; `party` the USCC or source represented."""

    role: Role
    name: str
    party: str = ""
    identity_token_digest: bytes | None = field(default=None, repr=False)


CLOCK_ACTOR = Actor(role=Role.CLOCK, name="clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionGround:
    """The record objected to, as it was then."""

    uscc: str
    dataset: str
    record_id: str
    record_version: int
    source_id: str
    source_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contested:
    """Part of a rating that an appeal contests: an indicator of its scheme, or a reason code."""

    scheme: str
    indicator: str
    reason_code: str | None = None

    def __str__(self) -> str:
        """Indicator and reason code, as a form has them: `penalties/L12`."""
        return "/".join(filter(None, (self.indicator, self.reason_code)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One objection. `due_on` is the deadline of the party that `status` names."""

    uscc: str
    objection_id: str
    kind: ObjectionKind
    dataset: str
    record_id: str
    record_version: int
    """Disputed version; upholding requires a newer version, or an ended record."""
    source_id: str
    source_name: str
    status: Status
    outcome: ObjectionOutcome | None = None
    text: str | None = field(repr=False)
    wanted: str | None = field(repr=False)
    reasons: str | None = field(default=None, repr=False)
    """Reasons of the source."""
    review_text: str | None = field(default=None, repr=False)
    review_reasons: str | None = field(default=None, repr=False)
    raised_at: datetime
    due_on: date | None
    due_provisional: bool = False
    latest_on: date
    """Source's deadline if extended."""
    extended_at: datetime | None = None
    decided_at: datetime | None = None
    review_asked_at: datetime | None = None
    reviewed_at: datetime | None = None
    final_at: datetime | None = None
    version: int = 0
    scheme: str | None = None
    indicator: str | None = None
    reason_code: str | None = None

    @property
    def contests(self) -> Contested | None:
        """The part of a rating that it contests; `None` if the record as a whole."""
        if self.scheme is None or self.indicator is None:
            return None
        return Contested(scheme=self.scheme, indicator=self.indicator, reason_code=self.reason_code)

    @property
    def marks(self) -> bool:
        """True if the record carries the mark of this objection."""
        return self.status is not Status.CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionEvent:
    """One act on an objection: actor, time, outcome, reason."""

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
    """An objection after an act, with the event."""

    objection: Objection
    event: ObjectionEvent


ActResult = ObjectionChanged | ObjectionRefused
