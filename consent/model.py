"""Consent model: enterprise, client, purpose, data, term and number of uses (R8), with events.

Values only: nothing here reads a clock, a database or the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """A text in Chinese and English; Chinese is shown first."""

    zh: str
    en: str


class Purpose(StrEnum):
    """Purposes of a request. Closed list (R11): no marketing, hiring or resale."""

    LOAN_APPROVAL = "loan_approval"
    POST_LOAN_MANAGEMENT = "post_loan_management"
    MERCHANT_ONBOARDING = "merchant_onboarding"
    MERCHANT_REVIEW = "merchant_review"
    SUPPLIER_CHECK = "supplier_check"
    TENDER = "tender"
    INSURANCE_UNDERWRITING = "insurance_underwriting"
    CREDIT_SERVICE = "credit_service"
    PUBLIC_INTEREST = "public_interest"


PURPOSES: frozenset[str] = frozenset(Purpose)

PURPOSE_NAMES: Mapping[Purpose, Bilingual] = MappingProxyType(
    {
        Purpose.LOAN_APPROVAL: Bilingual(zh="贷款审批", en="Loan approval"),
        Purpose.POST_LOAN_MANAGEMENT: Bilingual(zh="贷后管理", en="Post-loan management"),
        Purpose.MERCHANT_ONBOARDING: Bilingual(zh="平台商户入驻", en="Merchant onboarding"),
        Purpose.MERCHANT_REVIEW: Bilingual(zh="平台商户复核", en="Merchant review"),
        Purpose.SUPPLIER_CHECK: Bilingual(zh="供应商准入", en="Supplier check"),
        Purpose.TENDER: Bilingual(zh="招标投标", en="Tender"),
        Purpose.INSURANCE_UNDERWRITING: Bilingual(zh="保险承保", en="Insurance underwriting"),
        Purpose.CREDIT_SERVICE: Bilingual(zh="信用服务", en="Credit service"),
        Purpose.PUBLIC_INTEREST: Bilingual(zh="公共利益", en="Public interest"),
    }
)


class Status(StrEnum):
    """Status of a consent. `expired` and `exhausted` also follow from time and uses alone."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REFUSED = "refused"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"
    SUPERSEDED = "superseded"


class Reason(StrEnum):
    """Reasons for refusal. The first group may go to the client, the second to the enterprise only."""

    NOT_AVAILABLE = "not_available"
    NOT_IN_CONSENT = "not_in_consent"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_EXHAUSTED = "consent_exhausted"
    CONSENT_PAUSED = "consent_paused"
    COOLING_DOWN = "cooling_down"

    NOT_DECIDED = "not_decided"
    ALREADY_ACTIVE = "already_active"
    ALREADY_REFUSED = "already_refused"
    ALREADY_SUPERSEDED = "already_superseded"
    WIDER_THAN_ASKED = "wider_than_asked"
    NOTHING_CHOSEN = "nothing_chosen"
    NOTHING_CHANGED = "nothing_changed"


class Channel(StrEnum):
    """Channel through which an act arrived."""

    API = "api"
    REDIRECT = "redirect"
    LINK = "link"
    PORTAL = "portal"


class Act(StrEnum):
    """Acts on a consent. Append-only: the values are in stored events and records."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    PAUSED = "paused"
    RESUMED = "resumed"
    WITHDRAWN = "withdrawn"
    GIVEN_UP = "given_up"
    SUPERSEDED = "superseded"
    AMENDED = "amended"
    COOL_DOWN_ENDED = "cool_down_ended"


class Giver(StrEnum):
    """Giver of a separate consent: a person who acts for the enterprise, or the person concerned."""

    ENTERPRISE = "enterprise"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateConsent:
    """One separate consent (单独同意, PIPL Articles 23 and 29) with its giver (R8a).

    `item` is `dataset.field` or a question's tag.
    """

    item: str
    giver: Giver


SeparateConsents = tuple[SeparateConsent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Scope of a consent: data, end (exclusive), number of uses (`None`: unlimited)."""

    datasets: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    valid_until: datetime
    max_uses: int | None = None
    separate_consents: SeparateConsents | None = None
    """Those given; `None` before a decision, and in events of before there were any."""

    def within(self, wider: "Scope") -> bool:
        """True where this scope is contained in `wider`."""
        return (
            set(self.datasets) <= set(wider.datasets)
            and set(self.questions) <= set(wider.questions)
            and self.valid_until <= wider.valid_until
            and _no_more(self.max_uses, wider.max_uses)
            and (
                wider.separate_consents is None
                or set(self.own_separate_consents) <= set(wider.separate_consents)
            )
        )

    @property
    def own_separate_consents(self) -> SeparateConsents:
        """The separate consents that belong to its datasets and questions; no others count."""
        return tuple(
            each
            for each in self.separate_consents or ()
            if each.item in self.questions or each.item.rpartition(".")[0] in self.datasets
        )

    def hollow_at(self, now: datetime) -> bool:
        """True where this scope allows nothing at this time."""
        no_data = not self.datasets and not self.questions
        no_use = self.max_uses is not None and self.max_uses < 1
        return no_data or no_use or self.valid_until <= now


def _no_more(uses: int | None, limit: int | None) -> bool:
    return limit is None or (uses is not None and uses <= limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A client's request for consent, before there is a consent."""

    client_id: str
    uscc: str | None
    """`None`: the person who signs in chooses the enterprise."""
    purpose: Purpose
    datasets: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    valid_until: datetime
    max_uses: int | None = None
    amends: str | None = None
    """The running consent that this would change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayedText:
    """Version, digest and language (`zh`, `en`) of the consent text that was displayed."""

    text_version: str
    language: str
    text_digest: bytes | None = None
    """`consent_text.text_digest` of exactly that text, which is stored under it."""
    fields: tuple[str, ...] | None = None
    """The fields named with the datasets, as `dataset.field`; `None` if not known."""
    retention_days: int | None = None
    """The recipient's retention that was named, in days; `None` if none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The signed-in person acting for an enterprise, with the digest of the ID token."""

    subject: str
    uscc: str
    channel: Channel
    identity_token_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consent. While `requested` its scope is what was asked; afterwards what was granted.

    `version` counts acts (not uses) and is what `save` and `SPEND` compare.
    """

    consent_id: str
    client_id: str
    uscc: str
    purpose: Purpose
    datasets: tuple[str, ...]
    questions: tuple[str, ...]
    status: Status
    requested_at: datetime
    answer_by: datetime
    valid_until: datetime
    max_uses: int | None
    uses: int = 0
    version: int = 1
    decided_at: datetime | None = None
    cool_down_until: datetime | None = None
    subject: str | None = None
    identity_token_digest: bytes | None = None
    text_version: str | None = None
    language: str | None = None
    amends: str | None = None
    """The running consent that this request would change, if it is granted."""
    channel: Channel = Channel.LINK
    """The channel of its request."""
    fields: tuple[str, ...] | None = None
    """The fields of its datasets at the decision (`DisplayedText.fields`); later ones are not consented
    (R8). `None` where they were not stored: then the datasets alone bind."""
    separate_consents: SeparateConsents = ()
    """The separate consents given; none under texts that did not ask for them item by item."""
    retention_days: int | None = None
    """Recipient's retention shown at the decision; a longer one agreed later does not apply (R8)."""

    @property
    def scope(self) -> Scope:
        """The scope granted or requested."""
        return Scope(
            datasets=self.datasets,
            questions=self.questions,
            valid_until=self.valid_until,
            max_uses=self.max_uses,
            separate_consents=None if self.decided_at is None else self.separate_consents,
        )

    @property
    def was_granted(self) -> bool:
        """True where it was ever granted."""
        return self.decided_at is not None and self.status is not Status.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One act on a consent, with the scope right after it."""

    uscc: str
    consent_id: str
    seq: int
    what: Act
    actor: str
    channel: Channel
    at: datetime
    scope: Scope
    identity_token_digest: bytes | None = None
    text_version: str | None = None
    text_digest: bytes | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A client's access request: enterprise, purpose, datasets, questions."""

    client_id: str
    uscc: str
    purpose: Purpose
    datasets: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The consented part of an access request. `uses_left` includes the use about to be spent."""

    consent_id: str
    version: int
    datasets: tuple[str, ...]
    questions: tuple[str, ...]
    valid_until: datetime
    uses_left: int | None
    fields: tuple[str, ...] | None = None
    separate_consents: SeparateConsents = ()
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal with its reason, and when it ends where that is known."""

    reason: Reason
    until: datetime | None = None


def relation_of(asked: Consent | Request | AccessRequest) -> tuple[str, str | None, Purpose]:
    """Client, enterprise and purpose: one consent at a time runs for these."""
    return asked.client_id, asked.uscc, asked.purpose


def status_at(consent: Consent, now: datetime) -> Status:
    """Status at `now`: term and uses end a consent without an update of its row."""
    match consent.status:
        case Status.REQUESTED:
            lapsed = now >= min(consent.answer_by, consent.valid_until)
            return Status.EXPIRED if lapsed else Status.REQUESTED
        case Status.ACTIVE | Status.PAUSED:
            if now >= consent.valid_until:
                return Status.EXPIRED
            return Status.EXHAUSTED if uses_left(consent) == 0 else consent.status
        case _:
            return consent.status


def uses_left(consent: Consent) -> int | None:
    """Remaining uses; `None` is unlimited."""
    return None if consent.max_uses is None else max(0, consent.max_uses - consent.uses)
