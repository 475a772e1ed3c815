"""Body of a consent request, by PAR or `POST /v1/consents`: its members and their validation.

It is validated against the catalogue and the client's own agreement, never the enterprise: the
answer tells nothing about one (R7, R9).
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from consent import Purpose, Request
from gateway.access.errors import (
    InvalidRequestError,
    InvalidUsccError,
    NotInAgreementError,
    Refusal,
    UnknownDatasetError,
    UnknownPurposeError,
    UnknownQuestionError,
)
from gateway.access.http.body import EnterpriseIn, WireModel
from gateway.access.named_bundle import named_bundle
from gateway.access.subject_uscc import parse_subject
from gateway.clients.agreements import Agreement
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import day_of, end_of
from gateway.privacy.redaction import scan
from gateway.rfc3339 import parse_time
from verification import find_question

MOST_ITEMS: Final = 64
MOST_USES: Final = 100_000
LONGEST_TERM: Final = timedelta(days=2 * 365 + 1)
DEFAULT_TERM: Final = timedelta(days=90)
"""To the end of that day: the page names the last day."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9_.]+$")]
Names = Annotated[tuple[Name, ...], Field(max_length=MOST_ITEMS)]


class ConsentRequestIn(WireModel):
    """The members that both ways of requesting a consent have."""

    purpose: Annotated[str, StringConstraints(max_length=64)]
    bundle: Name | None = Field(default=None, examples=["pre_loan.v1"])
    """In place of `datasets` and `questions`: what the purpose usually needs, and the agreement covers."""
    datasets: Names = ()
    questions: Names = ()
    valid_until: Annotated[str, StringConstraints(max_length=40)] | None = None
    max_uses: Annotated[int, Field(ge=1, le=MOST_USES)] | None = None


def validated_request(
    asked: ConsentRequestIn,
    enterprise: EnterpriseIn | None,
    *,
    client_id: str,
    amends: str | None = None,
    agreement: Agreement,
    catalogue: Catalogue,
    now: datetime,
) -> Request | Refusal:
    """The request in these members, or the first thing that is wrong with it."""
    uscc = None if enterprise is None else parse_subject(enterprise.uscc)
    if enterprise is not None and uscc is None:
        return Refusal(InvalidUsccError, "enterprise.uscc is not a unified social credit code.")
    until = _term(asked.valid_until, agreement, now)
    expanded = _expanded(asked, agreement)
    if isinstance(expanded, Refusal):
        return expanded
    asked = expanded
    unknown = _unknown(asked, catalogue)
    if unknown is not None:
        return unknown
    outside = agreement.missing(
        purpose=asked.purpose, datasets=asked.datasets, questions=asked.questions
    )
    if outside:
        sentence = f"This client's agreement does not cover: {', '.join(outside)}."
        return Refusal(NotInAgreementError, sentence)
    if isinstance(until, Refusal):
        return until
    return Request(
        client_id=client_id,
        uscc=uscc,
        purpose=Purpose(asked.purpose),
        datasets=tuple(dict.fromkeys(asked.datasets)),
        questions=tuple(dict.fromkeys(asked.questions)),
        valid_until=until,
        max_uses=asked.max_uses,
        amends=amends,
    )


def _expanded(asked: ConsentRequestIn, agreement: Agreement) -> ConsentRequestIn | Refusal:
    """The members with what a bundle stands for."""
    if asked.bundle is None:
        return asked
    bundle = named_bundle(
        asked.bundle, purpose=asked.purpose, beside=(*asked.datasets, *asked.questions)
    )
    if isinstance(bundle, Refusal):
        return bundle
    datasets, questions = bundle.datasets_under(agreement), bundle.tags_under(agreement)
    if not datasets and not questions:
        sentence = f"This client's agreement covers nothing of the bundle {asked.bundle}."
        return Refusal(NotInAgreementError, sentence)
    return asked.model_copy(update={"datasets": datasets, "questions": questions})


def _unknown(asked: ConsentRequestIn, catalogue: Catalogue) -> Refusal | None:
    if asked.purpose not in {purpose.value for purpose in Purpose}:
        return Refusal(
            UnknownPurposeError, "There is no such purpose; the documentation lists them."
        )
    if not asked.datasets and not asked.questions:
        return Refusal(InvalidRequestError, "Ask for datasets or questions.")
    if unknown := sorted(set(asked.datasets) - set(catalogue.codes)):
        sentence = f"There is no such dataset: {', '.join(unknown)}."
        return Refusal(UnknownDatasetError, scan(sentence).text)  # R5
    if unknown := sorted(tag for tag in set(asked.questions) if not find_question(tag)):
        sentence = f"There is no such question: {', '.join(unknown)}."
        return Refusal(UnknownQuestionError, scan(sentence).text)
    return None


def _term(text: str | None, agreement: Agreement, now: datetime) -> datetime | Refusal:
    if text is None:
        return min(end_of(day_of(now + DEFAULT_TERM)), agreement.valid_until)
    try:
        ends = parse_time(text)
    except ValueError as error:
        return Refusal(InvalidRequestError, f"valid_until is {error}.")
    if not now < ends <= now + LONGEST_TERM:
        sentence = "valid_until is in the future and at most two years ahead."
        return Refusal(InvalidRequestError, sentence)
    if ends > agreement.valid_until:
        sentence = f"This client's agreement ends on {agreement.valid_until:%Y-%m-%d}, earlier."
        return Refusal(NotInAgreementError, sentence)
    return ends
