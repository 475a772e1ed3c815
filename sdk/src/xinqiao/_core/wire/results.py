"""Result types of the SDK, frozen dataclasses; each carries the evidence it was parsed from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeAlias

from .closed_lists import AnswerChangeKind, ConsentChangeKind, QuestionTag, RecordChangeKind
from .serialization import Serializable

if TYPE_CHECKING:
    from xinqiao._core.evidence.answer import Evidence

AnswerValue: TypeAlias = Literal["yes", "no", "not_determined"]
#: Kinds of notices that take nothing back, though they may name disclosures.
GIVING_KINDS: Final = frozenset({"record_reinstated", "answer_may_have_changed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPromise(Serializable):
    """The log's promise to include this answer's leaf by `merge_by`."""

    leaf_hash: str
    log: str | None
    merge_by: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Serializable):
    """The answer to one question: yes, no or not determined, without a reason."""

    question: str
    answer: AnswerValue
    match: str | None = None

    @property
    def yes(self) -> bool:
        """True if the answer is yes."""
        return self.answer == "yes"

    @property
    def no(self) -> bool:
        """True if the answer is no. Not the opposite of `yes`."""
        return self.answer == "no"

    @property
    def determined(self) -> bool:
        """True if there is an answer at all."""
        return self.answer != "not_determined"

    def __bool__(self) -> NoReturn:
        """Raise TypeError: an answer has three values."""
        raise TypeError("An answer has three values; use .yes, .no or .determined.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Serializable):
    """Result of a verification: answers about one enterprise, in the order of the questions."""

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
        """The answer to a question; one asked twice is only in `answers`."""
        found = [answer for answer in self.answers if answer.question == question]
        if len(found) != 1:
            raise KeyError(question if not found else f"{question} was asked more than once")
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Serializable):
    """The department that a record comes from."""

    name: str
    uscc: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection(Serializable):
    """The mark of a record that the enterprise objects to."""

    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Serializable):
    """One fact of a credit file."""

    dataset: str
    record_id: str
    version: int
    source: Source
    source_time: datetime
    catalogue_version: str
    use_until: datetime | None
    """From then on it is not used; None in answers of before there was a term."""
    delete_by: datetime | None
    """By then it is deleted; a notice of withdrawal ends both at once."""
    objection: Objection | None
    fields: Mapping[str, Any]
    """The values, personal ones included; a record prints their names only."""

    def __repr__(self) -> str:
        """Every part but the values of the fields, which may be personal."""
        parts = {each.name: repr(getattr(self, each.name)) for each in fields(self)}
        parts["fields"] = f"<{', '.join(self.fields)}>"
        return f"Record({', '.join(f'{name}={text}' for name, text in parts.items())})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld(Serializable):
    """A dataset, or `fields` of it, that was requested and not disclosed, with the reason."""

    dataset: str
    reason: str
    """A `WithheldReason`, or one that is newer than this version."""
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateConsent(Serializable):
    """Separate consent (PIPL): to `fields` of a `dataset`, or to a `question`."""

    given_by: str
    """`enterprise`, or `person`: the legal representative or operator in person."""
    dataset: str | None
    fields: tuple[str, ...]
    question: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentUse(Serializable):
    """The consent under which a query was answered, with its remaining uses."""

    consent_id: str
    valid_until: datetime | None
    uses_left: int | None
    separate_consents: tuple[SeparateConsent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult(Serializable):
    """One page of an authorised query, without the client: what `Evidence.result()` gives of a kept page.

    `Client.query` returns it as a `QueryPage`, `AsyncClient.query` as an `AsyncQueryPage`, which read on.
    `recipient` names the receiving client.
    """

    disclosure_id: str
    uscc: str
    purpose: str
    recipient: str
    as_of: datetime
    consent: ConsentUse | None
    bundle_datasets: tuple[str, ...]
    """What the bundle that was asked for stood for; empty where datasets were named."""
    records: tuple[Record, ...]
    withheld: tuple[Withheld, ...]
    cursor: str | None
    warnings: tuple[str, ...]
    """As in `Verification`."""
    log_promise: LogPromise | None
    evidence: Evidence = field(repr=False, compare=False)

    @property
    def last(self) -> bool:
        """True if no page follows."""
        return self.cursor is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Serializable):
    """A consent of this client, in its current state."""

    consent_id: str
    status: str
    uscc: str | None
    purpose: str | None
    datasets: tuple[str, ...]
    questions: tuple[str, ...]
    valid_until: datetime | None
    max_uses: int | None
    uses_left: int | None
    separate_consents: tuple[SeparateConsent, ...]
    """Without one a personal field is withheld, and a question on an ID number not determined."""
    requested_at: datetime | None = None
    decided_at: datetime | None = None
    """When the enterprise granted or refused it; None while it is only requested."""
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents(Serializable):
    """The consents of this client."""

    consents: tuple[Consent, ...]
    evidence: Evidence = field(repr=False, compare=False)
    further_evidence: tuple[Evidence, ...] = field(default=(), repr=False, compare=False)
    """Evidence of the pages after the first hundred consents."""

    def to_dict(self) -> dict[str, Any]:
        """The result as a JSON object; the evidence of a page stands once, not at each consent."""
        whole = Serializable.to_dict(self)
        for consent in whole["consents"]:
            del consent["evidence"]
        return whole

    def __iter__(self) -> Iterator[Consent]:
        """Iterate over the items."""
        return iter(self.consents)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.consents)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest(Serializable):
    """A consent request by link: show `capture_url` (or its QR code) to the enterprise."""

    consent_id: str
    status: str
    capture_url: str
    expires_at: datetime | None
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Serializable):
    """One notice of the client's feed; `disclosure_ids` are the answers that rest on what changed.

    It is a `RecordChange`, a `ConsentChange` or an `AnswerChange`; a plain `Change` only where its kind is
    newer than this version.
    """

    change_id: str
    kind: str
    occurred_at: datetime
    dataset: str | None
    record_id: str | None
    consent_id: str | None
    disclosure_ids: tuple[str, ...]
    uscc: str | None
    questions: tuple[str, ...]

    @property
    def takes_back(self) -> bool:
        """True if what `disclosure_ids` told, of the record or as a whole, may not be used any more."""
        return bool(self.disclosure_ids) and self.kind not in GIVING_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange(Change):
    """A record that was told is corrected, repaired, suspended, reinstated, withdrawn or ended."""

    kind: RecordChangeKind
    dataset: str
    record_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange(Change):
    """A consent of this client is granted, refused, narrowed, withdrawn or expired."""

    kind: ConsentChangeKind
    consent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerChange(Change):
    """Answers about a watched enterprise may have changed: ask `questions` again."""

    kind: AnswerChangeKind
    uscc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(Serializable):
    """A page of the feed, at most 100; read on after `cursor`."""

    changes: tuple[Change, ...]
    cursor: str
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Change]:
        """Iterate over the items."""
        return iter(self.changes)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due(Serializable):
    """One record of an answer that must be deleted, or the whole answer (`record_id` is None)."""

    disclosure_id: str
    record_id: str | None
    since: datetime
    reason: str
    """`delete_by`, or the kind of the notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueForDeletion(Serializable):
    """Records to delete, by age of their reason, and the feed's cursor up to which it was looked."""

    items: tuple[Due, ...]
    cursor: str

    def __iter__(self) -> Iterator[Due]:
        """Iterate over the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Serializable):
    """A question of the catalogue; `details` is the catalogue's whole entry."""

    question: QuestionTag
    details: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions(Serializable):
    """The catalogue of questions."""

    catalogue_version: str | None
    questions: tuple[Question, ...]
    evidence: Evidence = field(repr=False, compare=False)

    def __iter__(self) -> Iterator[Question]:
        """Iterate over the items."""
        return iter(self.questions)

    def __len__(self) -> int:
        """Number of items."""
        return len(self.questions)
