"""What the gateway answers, as frozen values. Each carries the evidence that it was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias

from xinqiao._core.flow import Flow

from .session import Session

if TYPE_CHECKING:
    from .evidence import Evidence

AnswerValue: TypeAlias = Literal["yes", "no", "not_determined"]
#: The flow of the page that follows.
Following: TypeAlias = "Callable[[Session], Flow[QueryResult]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPromise:
    """The log's promise to hold this answer by a certain time."""

    leaf_hash: str
    log: str | None
    merge_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one question: yes, no, or not determined (and nobody is told why)."""

    question: str
    answer: AnswerValue
    match: str | None = None

    @property
    def yes(self) -> bool:
        """Whether the answer is yes."""
        return self.answer == "yes"

    @property
    def no(self) -> bool:
        """Whether the answer is no. Not the opposite of `yes`."""
        return self.answer == "no"

    @property
    def determined(self) -> bool:
        """Whether there is an answer at all."""
        return self.answer != "not_determined"

    def __bool__(self) -> NoReturn:
        """Refuse to be a condition: there are three answers."""
        raise TypeError("An answer has three values; use .yes, .no or .determined.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Answers about one enterprise, in the order in which they were asked."""

    verification_id: str
    disclosure_id: str
    uscc: str
    purpose: str
    as_of: datetime
    catalogue_version: str
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]
    """`check_character`: the last character of the code does not fit the others."""
    log_promise: LogPromise | None
    evidence: Evidence = field(repr=False, compare=False)

    def __getitem__(self, question: str) -> Answer:
        """Find the answer to a question; one asked twice is only in `answers`."""
        found = [answer for answer in self.answers if answer.question == question]
        if len(found) != 1:
            raise KeyError(question if not found else f"{question} was asked more than once")
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The department that a record comes from."""

    name: str
    uscc: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """The mark of a record that the enterprise objects to."""

    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One fact of a credit file."""

    dataset: str
    record_id: str
    version: int
    source: Source
    source_time: datetime
    catalogue_version: str
    objection: Objection | None
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """What was asked and not given, and why; without `fields`, the dataset as a whole."""

    dataset: str
    reason: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentUse:
    """The consent under which a query was answered, and what is left of it."""

    consent_id: str
    valid_until: datetime | None
    uses_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """One page of an authorised query. `recipient` names whom it was given to."""

    disclosure_id: str
    uscc: str
    purpose: str
    recipient: str
    as_of: datetime
    consent: ConsentUse | None
    records: tuple[Record, ...]
    withheld: tuple[Withheld, ...]
    cursor: str | None
    warnings: tuple[str, ...]
    """As of a `Verification`."""
    log_promise: LogPromise | None
    evidence: Evidence = field(repr=False, compare=False)
    _following: Following | None = field(repr=False, compare=False)

    @property
    def last(self) -> bool:
        """Whether no page follows."""
        return self.cursor is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A consent of this client, as the gateway sees it now."""

    consent_id: str
    status: str
    uscc: str | None
    purpose: str | None
    datasets: tuple[str, ...]
    questions: tuple[str, ...]
    valid_until: datetime | None
    max_uses: int | None
    uses_left: int | None
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """The consents of this client."""

    consents: tuple[Consent, ...]
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Consent]:
        """Go through them."""
        return iter(self.consents)

    def __len__(self) -> int:
        """Count them."""
        return len(self.consents)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """A consent asked for by link: show `capture_url` (or its QR code) to the enterprise."""

    consent_id: str
    status: str
    capture_url: str
    expires_at: datetime | None
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of the catalogue; `details` is the catalogue's whole entry."""

    question: str
    details: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The catalogue of questions."""

    catalogue_version: str | None
    questions: tuple[Question, ...]
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Question]:
        """Go through them."""
        return iter(self.questions)

    def __len__(self) -> int:
        """Count them."""
        return len(self.questions)
