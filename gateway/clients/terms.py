"""Terms of an agreement: checked at construction, and their canonical document and digest."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, Self

from consent import Purpose
from gateway.clients.filing import Filing
from gateway.limits.quotas import Quotas
from verification import QUESTIONS, find_question

ON_A_PERSONS_ID: Final = frozenset(
    each.tag for each in QUESTIONS if each.separate_consent == "person"
)
"""Questions on a person's own ID: a credit agency needs a licence to agree on them (R13)."""
ON_A_PERSON: Final = frozenset(each.tag for each in QUESTIONS if each.personal)
"""Questions on a person: of an operator, a credit agency needs a licence for the answer (R13)."""
IdNumbers = Literal["encrypted", "channel"]
"""How ID numbers arrive: encrypted to the gateway's key only, or also as they are over the bound channel."""
ENCRYPTED: Final = "encrypted"
LONGEST_NAME: Final = 100
LONGEST_RETENTION_DAYS: Final = 3_660
"""As long as the log of disclosures is kept."""


class TermsError(ValueError):
    """Terms that are refused; the message says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The signature of one side: name, role and day."""

    name: str
    role: str
    signed_on: date

    def __post_init__(self) -> None:
        """Refuse an empty or unprintable name or role."""
        for value in (self.name, self.role):
            if not value.strip() or len(value) > LONGEST_NAME or not value.isprintable():
                raise TermsError(f"A signature has a name and a role of 1 to {LONGEST_NAME} signs.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """The signatures of both sides of an agreement."""

    operator: Signature
    client: Signature

    def to_json(self) -> dict[str, Any]:
        """The JSON object for the document."""
        signed = asdict(self)
        for side in signed.values():
            side["signed_on"] = side["signed_on"].isoformat()
        return signed

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The signatures in a document."""
        return cls(**{side: _signature(found[side]) for side in ("operator", "client")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one agreement version. Datasets are checked by `unknown_datasets`."""

    purposes: frozenset[str]
    datasets: frozenset[str] = frozenset()
    questions: frozenset[str] = frozenset()
    quotas: Quotas = field(default_factory=Quotas)
    retention_days: int = 0
    """Days for which a record may be kept after its use has ended."""
    id_numbers: IdNumbers | None = None
    """How ID numbers arrive; `None`, as in agreements of before: encrypted or over the bound channel."""
    automated_decisions: bool | None = None
    """Declaration whether the client decides by automated means (PIPL Article 24); `None`: not declared."""
    requires_signed_requests: bool = False
    """True where each request is to be signed (RFC 9421), so that the client cannot deny it."""
    valid_from: datetime
    valid_until: datetime
    signatures: Signatures | None = None

    def __post_init__(self) -> None:
        """Refuse unknown purposes and questions, and an empty term."""
        unknown = sorted(self.purposes - {purpose.value for purpose in Purpose})
        unknown += sorted(tag for tag in self.questions if find_question(tag) is None)
        if unknown:
            raise TermsError(f"There is no such purpose or question: {', '.join(unknown)}.")
        if not 0 <= self.retention_days <= LONGEST_RETENTION_DAYS:
            raise TermsError(f"retention_days is 0 to {LONGEST_RETENTION_DAYS}.")
        if self.valid_from.utcoffset() is None or self.valid_until.utcoffset() is None:
            raise TermsError("The term's ends have a zone.")
        try:
            _ = self.valid_from.astimezone(UTC), self.valid_until.astimezone(UTC)
        except OverflowError:
            raise TermsError("The term's ends are times of our era.") from None
        if self.valid_until <= self.valid_from:
            raise TermsError("The term ends before it begins.")

    def following(self, present: Self | None) -> Self:
        """These terms, complete: ID numbers arrive as agreed before, else encrypted."""
        if self.id_numbers is not None or not self.questions & ON_A_PERSONS_ID:
            return self
        if present is not None and present.questions & ON_A_PERSONS_ID:
            return replace(self, id_numbers=present.id_numbers)
        return replace(self, id_numbers=ENCRYPTED)

    def unknown_datasets(self, catalogue: tuple[str, ...]) -> tuple[str, ...]:
        """The datasets that are not in the catalogue."""
        return tuple(sorted(self.datasets - set(catalogue)))

    def document(self, client_id: str, version: int) -> dict[str, Any]:
        """The document of one version, whose digest is signed."""
        return {
            "client_id": client_id,
            "version": version,
            "purposes": sorted(self.purposes),
            "datasets": sorted(self.datasets),
            "questions": sorted(self.questions),
            "quotas": self.quotas.to_json(),
            "valid_from": self.valid_from.astimezone(UTC).isoformat(),
            "valid_until": self.valid_until.astimezone(UTC).isoformat(),
            **({"retention_days": self.retention_days} if self.retention_days else {}),
            **({"id_numbers": self.id_numbers} if self.id_numbers else {}),
            **self._declared(),
            **({"requires_signed_requests": True} if self.requires_signed_requests else {}),
            **({"signatures": self.signatures.to_json()} if self.signatures else {}),
        }

    def _declared(self) -> dict[str, bool]:
        declared = self.automated_decisions
        return {} if declared is None else {"automated_decisions": declared}

    @classmethod
    def from_document(cls, found: Mapping[str, Any]) -> Self:
        """The terms in a document made by `document`."""
        signed = found.get("signatures")
        return cls(
            purposes=frozenset(found["purposes"]),
            datasets=frozenset(found["datasets"]),
            questions=frozenset(found["questions"]),
            quotas=Quotas.from_json(found["quotas"]),
            retention_days=found.get("retention_days", 0),
            id_numbers=found.get("id_numbers"),
            automated_decisions=found.get("automated_decisions"),
            requires_signed_requests=found.get("requires_signed_requests", False),
            valid_from=datetime.fromisoformat(found["valid_from"]),
            valid_until=datetime.fromisoformat(found["valid_until"]),
            signatures=Signatures.from_json(signed) if signed else None,
        )

    def columns(self, client_id: str, version: int) -> dict[str, Any]:
        """The columns of `agreement` that the terms fill.

        A worker that does not know `signed_until` takes a version with it as ended (decision 0073).
        """
        document = self.document(client_id, version)
        digest = digest_of(document)
        return {
            **{name: document[name] for name in ("purposes", "datasets", "questions", "quotas")},
            "retention_days": self.retention_days,
            "id_numbers": self.id_numbers,
            "automated_decisions": self.automated_decisions,
            "signatures": document.get("signatures"),
            "valid_from": self.valid_from,
            "valid_until": self.valid_from if self.requires_signed_requests else self.valid_until,
            "signed_until": self.valid_until if self.requires_signed_requests else None,
            "agreement_id": f"agr_{digest.hex()[:32]}",
            "document_digest": digest,
        }


def digest_of(document: Mapping[str, Any]) -> bytes:
    """The SHA-256 of a document as canonical JSON: sorted keys, no escapes."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def check_licensed(kind: str, personal_credit_licence: str | None, terms: Terms) -> None:
    """Refuse questions on a person's ID to an agency without a personal-credit licence (R13)."""
    personal = sorted(terms.questions & ON_A_PERSONS_ID)
    if kind == "agency" and personal and not personal_credit_licence:
        raise TermsError(
            f"An agency needs a personal-credit licence for {', '.join(personal)} (R13); register "
            "its number as personal_credit_licence first."
        )


def check_filed(kind: str, filing: Filing | None, terms: Terms) -> None:
    """Refuse terms that outlast the filing of an agency (R13)."""
    if kind == "agency" and filing is None:
        raise TermsError(
            "Register the agency's whole filing first: with whom, and until when (R13)."
        )
    if filing is not None and terms.valid_until > filing.ends_at:
        raise TermsError(
            f"The agreement would outlast its client's filing, which ends with {filing.valid_until}."
        )


def _signature(found: Mapping[str, Any]) -> Signature:
    return Signature(**{**found, "signed_on": date.fromisoformat(found["signed_on"])})
