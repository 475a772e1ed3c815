"""A requested consent that is open for decision, and a person's decision on it."""

from dataclasses import dataclass
from enum import StrEnum

from consent import COOL_DOWN, Bilingual, Consent, DisplayedText, Person, Scope, consent_text
from consent.consent_text import Recipient
from gateway.identity.interactions import Interaction
from gateway.identity.session_dependency import Visitor
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import language_of
from gateway.portal.guards import acting_person
from gateway.portal.page_queries import ClientCard, EnterpriseCard


class DecisionProblem(StrEnum):
    """The reason for which a decision was not taken and nothing was written."""

    NOTHING_CHOSEN = "nothing_chosen"
    OTHER_TEXT = "other_text"
    TERM = "term"
    USES = "uses"
    USES_SPENT = "uses_spent"
    SEPARATE = "separate"
    IN_PERSON = "in_person"
    COOLING_DOWN = "cooling_down"
    ALREADY_DECIDED = "already_decided"
    ALREADY_ENDED = "already_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A requested consent that this person may decide now."""

    consent: Consent
    enterprise: EnterpriseCard
    client: ClientCard
    action: str
    """The address that the form is posted to."""
    form: str
    """The purpose of the form's CSRF token."""
    interaction: Interaction | None = None
    """The interaction of a request by redirect."""

    @property
    def text(self) -> tuple[Bilingual, ...]:
        """The exact consent text, shown before the decision."""
        return consent_text.paragraphs(
            self.consent.purpose,
            _recipient(self.client),
            individual_business=self.enterprise.is_individual_business,
            cool_down_days=COOL_DOWN.days,
        )

    @property
    def text_digest(self) -> bytes:
        """SHA-256 of the text, posted back with the form and kept with the consent."""
        return consent_text.text_digest(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The chosen scope to grant; without one, a refusal."""

    scope: Scope | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """The person who decides, the session, and the displayed text."""

    person: Person
    session_digest: bytes
    shown: DisplayedText
    text: tuple[Bilingual, ...] = ()


def decider_of(
    visitor: Visitor, opened: OpenRequest, fields: Fields, *, shown_fields: tuple[str, ...]
) -> Decider:
    """The visitor as decider; `shown_fields` are those that the page names under its datasets.

    The language is that of the page that was sent: another tab may have been turned to the other
    language since.
    """
    language = single_value(fields, "language")
    if language not in {"zh", "en"}:
        language = language_of(visitor.request.query_params, visitor.request.cookies)
    return Decider(
        person=acting_person(visitor, opened.consent.uscc, opened.consent.channel),
        session_digest=visitor.session.digest,
        shown=DisplayedText(
            text_version=consent_text.TEXT_VERSION,
            language=language,
            text_digest=opened.text_digest,
            fields=shown_fields,
        ),
        text=opened.text,
    )


def _recipient(client: ClientCard) -> Recipient:
    """The recipient in both languages, with its contact or, without one, the operator's."""
    same = client.name.zh == client.name.en
    both = client.name.zh if same else f"{client.name.zh}（{client.name.en}）"
    operator = f"信桥运营方 Xinqiao operator, {client.client_id}"
    return Recipient(name=both, contact=client.contact or operator)
