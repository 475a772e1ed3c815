"""A requested consent that is open for decision, and a person's decision on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncConnection

from consent import (
    COOL_DOWN,
    Bilingual,
    Consent,
    DisplayedText,
    Person,
    Scope,
    SeparateConsents,
    consent_text,
)
from consent.consent_text import ConsentText, Recipient, SeparateItem
from gateway.clients import registry
from gateway.clients.agreements import Agreement
from gateway.creditfile.separate_consent import needed_separate_consents
from gateway.identity.interactions import Interaction
from gateway.identity.session_dependency import Visitor
from gateway.pages.forms import Fields, single_value
from gateway.pages.i18n import Translated, language_of
from gateway.portal import labels
from gateway.portal.guards import acting_person
from gateway.portal.page_queries import ClientCard, EnterpriseCard
from gateway.runtime import Runtime


class DecisionProblem(StrEnum):
    """The reason for which a decision was not taken and nothing was written."""

    NOTHING_CHOSEN = "nothing_chosen"
    OTHER_TEXT = "other_text"
    TERM = "term"
    USES = "uses"
    USES_SPENT = "uses_spent"
    SEPARATE = "separate"
    IN_PERSON = "in_person"
    NO_AGREEMENT = "no_agreement"
    COOLING_DOWN = "cooling_down"
    ALREADY_DECIDED = "already_decided"
    ALREADY_ENDED = "already_ended"


@dataclass(frozen=True, kw_only=True)
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
    agreement: Agreement | None
    """The client's agreement in force; without one nothing can be granted."""
    needed: SeparateConsents
    """The separate consents that its items need, each asked for by itself (R8a)."""
    names: Mapping[str, Translated]
    """The names of its datasets, questions and separately consented items."""

    @cached_property
    def text(self) -> ConsentText:
        """The exact consent text, shown before the decision."""
        asked = self.consent
        return consent_text.compose(
            asked.purpose,
            _recipient(self.client, self.agreement),
            datasets=[_bilingual(self.names[code]) for code in asked.datasets],
            questions=[_bilingual(self.names[tag]) for tag in asked.questions],
            separate=[
                SeparateItem(
                    name=_bilingual(self.names[each.item]),
                    on_id_number=each.item in asked.questions,
                )
                for each in self.needed
            ],
            cool_down_days=COOL_DOWN.days,
        )

    @property
    def text_digest(self) -> bytes:
        """SHA-256 of the text, posted back with the form and kept with the consent."""
        return self.text.digest


async def open_request(
    connection: AsyncConnection,
    runtime: Runtime,
    asked: Consent,
    *,
    enterprise: EnterpriseCard,
    client: ClientCard,
    action: str,
    form: str,
    interaction: Interaction | None = None,
) -> OpenRequest:
    """The request with what its page has to name: the client's agreement, the separate consents."""
    registered = await registry.find(connection, asked.client_id)
    catalogue = runtime.catalogue
    needed = needed_separate_consents(
        asked.datasets, asked.questions, catalogue, kind=enterprise.kind
    )
    names = {
        code: labels.item_name(code, catalogue) for code in (*asked.datasets, *asked.questions)
    }
    return OpenRequest(
        consent=asked,
        enterprise=enterprise,
        client=client,
        action=action,
        form=form,
        interaction=interaction,
        agreement=None if registered is None else registered.agreement_in_force(runtime.now()),
        needed=needed,
        names={
            each.item: labels.separate_name(each.item, catalogue, enterprise.kind)
            for each in needed
        }
        | names,
    )


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
    paragraphs: tuple[Bilingual, ...] = ()


def decider_of(
    visitor: Visitor,
    opened: OpenRequest,
    choice: Choice,
    fields: Fields,
    *,
    shown_fields: tuple[str, ...],
) -> Decider:
    """The visitor as decider; `shown_fields` are those that the page names under its datasets.

    Those whose separate consent was not given are no part of the consent. The language is that of the
    page that was sent: another tab may have been turned to the other language since.
    """
    given = choice.scope.separate_consents if choice.scope else ()
    refused = {each.item for each in set(opened.needed) - set(given or ())}
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
            fields=tuple(each for each in shown_fields if each not in refused),
            retention_days=None if opened.agreement is None else opened.agreement.retention_days,
        ),
        paragraphs=opened.text.paragraphs,
    )


def _bilingual(name: Translated) -> Bilingual:
    return Bilingual(zh=name.zh, en=name.en)


def _recipient(client: ClientCard, agreement: Agreement | None) -> Recipient:
    """The recipient by its name of each language, with its contact or, without one, the operator's."""
    operator = Bilingual(
        zh=f"信桥运营方（{client.client_id}）", en=f"the operator of Xinqiao ({client.client_id})"
    )
    contact = client.contact
    return Recipient(
        name=_bilingual(client.name),
        contact=operator if contact is None else Bilingual(zh=contact, en=contact),
        retention_days=None if agreement is None else agreement.retention_days,
        automated_decisions=None if agreement is None else agreement.automated_decisions,
    )
