"""Enterprises, consents and the agreement of the fake gateway."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from xinqiao.testing._rules.consent_rules import AGREEMENT, CONSENT

T = TypeVar("T", int, datetime)

#: The answer, by question or by (question, value).
Answers: TypeAlias = Mapping[str | tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEnterprise:
    """An enterprise: its answers, its elements, and its records in the wire's form."""

    uscc: str
    answers: Answers = field(repr=False, default_factory=dict)
    elements: Mapping[str, str] = field(repr=False, default_factory=dict)
    records: tuple[Mapping[str, Any], ...] = field(repr=False, default=())

    def answer(self, question: str, value: str | Mapping[str, str] | None) -> str:
        """The configured answer; `no` for another value of a question configured by value."""
        if isinstance(value, str) and (question, value) in self.answers:
            return self.answers[(question, value)]
        if question in self.answers:
            return self.answers[question]
        if isinstance(value, Mapping):
            return self._group_answer(value)
        configured = any(isinstance(key, tuple) and key[0] == question for key in self.answers)
        return "no" if configured else "not_determined"

    def _group_answer(self, members: Mapping[str, str]) -> str:
        if not members.keys() <= self.elements.keys():
            return "not_determined"
        return "yes" if members.items() <= self.elements.items() else "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeAgreement:
    """Terms of the client's agreement; None where it covers everything that is published.

    `per_minute`: calls a minute; None is no limit, and no `RateLimit` headers. With
    `requires_signed_requests` each call is to be signed. Raises `FakeSetupError`.
    """

    purposes: Collection[str] | None = None
    datasets: Collection[str] | None = None
    questions: Collection[str] | None = None
    per_minute: int | None = None
    requires_signed_requests: bool = False

    def __post_init__(self) -> None:
        """Check it by the published tables."""
        for name, check in AGREEMENT.items():
            object.__setattr__(self, name, check(getattr(self, name)))

    def covers(
        self, *, purpose: str, datasets: Iterable[str] = (), questions: Iterable[str] = ()
    ) -> bool:
        """True if it covers a purpose, and all of these datasets and questions."""
        return not self.missing(purpose=purpose, datasets=datasets, questions=questions)

    def missing(
        self, *, purpose: str, datasets: Iterable[str] = (), questions: Iterable[str] = ()
    ) -> list[str]:
        """The names among these that it does not cover, as the gateway's sentences give them."""
        asked = (
            ("purpose", [purpose], self.purposes),
            ("dataset", datasets, self.datasets),
            ("question", questions, self.questions),
        )
        return [
            f"{noun} {name}"
            for noun, names, covered in asked
            for name in names
            if covered is not None and name not in covered
        ]


@dataclass(slots=True, kw_only=True)
class FakeConsent:
    """A consent and its state; a test may change it at any time, to what the real gateway can have."""

    consent_id: str
    uscc: str
    purpose: str
    datasets: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    valid_until: datetime | None = None
    uses_left: int | None = None
    max_uses: int | None = None
    status: str = "active"
    separate_consents: tuple[Mapping[str, Any], ...] = ()
    """As on the wire: `{dataset, fields, given_by}` or `{question, given_by}`."""
    unseparated: tuple[str, ...] = ()
    """Fields that lack the separate consent that they need, as `dataset.field`: withheld."""
    unlicensed: tuple[str, ...] = ()
    """Personal fields of an operator for which the client lacks the licence: withheld."""
    decided_at: datetime | None = None
    """When it was granted or refused."""
    answer_by: datetime | None = None
    """End of the time in which a request can be answered."""
    cool_down_until: datetime | None = None
    """After a refusal: the same is not asked for again before."""
    amends: str | None = None
    """Id of the running consent that a request would change."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set a member, checked by the published tables; raises `FakeSetupError`."""
        check = CONSENT.get(name)
        object.__setattr__(self, name, value if check is None else check(value))

    def status_at(self, now: datetime) -> str:
        """The state now: what is over by time or by use is over."""
        if self.status == "requested":
            late = self.answer_by is not None and now >= self.answer_by
            return "expired" if late else "requested"
        if self.status not in {"active", "paused"}:
            return self.status
        if self.valid_until is not None and now >= self.valid_until:
            return "expired"
        return "exhausted" if self.uses_left == 0 else self.status

    def refusal(self, now: datetime) -> str | None:
        """Problem code of a consent that cannot be used now, or None."""
        status = self.status_at(now)
        if status == "active":
            return None
        told = {"withdrawn", "paused", "expired", "exhausted"}
        return f"consent_{status}" if self.was_given and status in told else "not_available"

    @property
    def was_given(self) -> bool:
        """True if the enterprise has given it, whatever it is now."""
        return self.status not in {"requested", "refused", "superseded"}

    def allowed(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """The record without the fields that lack their separate consent or a licence."""
        fields, closed = record.get("fields", {}), {*self.unseparated, *self.unlicensed}
        if not isinstance(fields, Mapping):
            return record  # a test's own broken answer
        dataset = record["dataset"]
        left = {name: value for name, value in fields.items() if f"{dataset}.{name}" not in closed}
        return {**record, "fields": left}

    @property
    def items(self) -> set[str]:
        """Its datasets and questions."""
        return {*self.datasets, *self.questions}

    def is_within(self, wider: FakeConsent) -> bool:
        """True if it allows nothing that the other does not."""
        return (
            self.items <= wider.items
            and _no_more(self.valid_until, wider.valid_until)
            and _no_more(self.max_uses, wider.max_uses)
        )

    def spend(self) -> None:
        """Count one use."""
        if self.uses_left is not None:
            self.uses_left -= 1

    def credit_data(self) -> dict[str, Any]:
        """The consent as `credit_data` of the wire."""
        details: dict[str, Any] = {
            "consent_id": self.consent_id,
            "enterprise": {"uscc": self.uscc},
            "purpose": self.purpose,
            "datasets": list(self.datasets),
            "questions": list(self.questions),
            "separate_consents": [dict(each) for each in self.separate_consents],
        }
        if self.valid_until is not None:
            details["valid_until"] = self.valid_until.isoformat()
        if self.max_uses is not None:
            details["max_uses"] = self.max_uses
        return details

    def document(self, now: datetime) -> dict[str, Any]:
        """Write what GET /v1/consents/{id} answers."""
        told = {
            "status": self.status_at(now),
            "uses_left": self.uses_left,
            "amends": self.amends,
            "decided_at": self.decided_at and self.decided_at.isoformat(),
        }
        return {**self.credit_data(), **told}


def _no_more(limit: T | None, wider: T | None) -> bool:
    """True if a limit is no higher than another; None is no limit."""
    return wider is None or (limit is not None and limit <= wider)
