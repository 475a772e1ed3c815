"""A person's decision on a requested consent: the choice, the person, the displayed text."""

from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request

from consent import (
    Bilingual,
    Channel,
    DisplayedText,
    Person,
    Scope,
    consent_text,
)
from gateway.identity.session_dependency import Visitor
from gateway.pages.forms import Fields, one
from gateway.pages.i18n import language_of


class DecisionProblem(StrEnum):
    """Why a decision was not taken. Nothing was written then."""

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
class Choice:
    """What the person chose: a scope to grant, or none: a refusal."""

    uscc: str
    scope: Scope | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides, in which session, before which text."""

    subject: str
    session_digest: bytes
    identity_token_digest: bytes
    shown: DisplayedText
    text: tuple[Bilingual, ...] = ()

    def acting(self, uscc: str, channel: Channel) -> Person:
        """The same person, acting for the enterprise `uscc`."""
        return Person(
            subject=self.subject,
            uscc=uscc,
            channel=channel,
            identity_token_digest=self.identity_token_digest,
        )


def decider_of(
    request: Request,
    visitor: Visitor,
    text: tuple[Bilingual, ...],
    fields: Fields,
    *,
    shown_fields: tuple[str, ...],
) -> Decider:
    """The person at this browser, before these words and the names of these `shown_fields` of the
    datasets, in the language of the page that was sent.

    Another tab may have been turned to the other language since.
    """
    shown_in = one(fields, "language")
    known = shown_in in {"zh", "en"}
    return Decider(
        subject=visitor.session.subject,
        session_digest=visitor.session.digest,
        identity_token_digest=visitor.session.identity_token_digest,
        shown=DisplayedText(
            text_version=consent_text.TEXT_VERSION,
            language=shown_in if known else language_of(request.query_params, request.cookies),
            text_digest=consent_text.text_digest(text),
            fields=shown_fields,
        ),
        text=text,
    )
