"""A consent request on the wire, by PAR or `POST /v1/consents`, parsed and validated once.

It is validated against the catalogue and the client's own agreement, never the enterprise: the
answer tells nothing about one (R7, R9).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from consent import Purpose, Request
from gateway.access.body import EnterpriseIn, WireModel
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
    datasets: Names = ()
    questions: Names = ()
    valid_until: Annotated[str, StringConstraints(max_length=40)] | None = None
    max_uses: Annotated[int, Field(ge=1, le=MOST_USES)] | None = None


class Fault(StrEnum):
    """What is wrong with a request."""

    USCC = "uscc"
    PURPOSE = "purpose"
    DATASET = "dataset"
    QUESTION = "question"
    NOTHING = "nothing"
    AGREEMENT = "agreement"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Why a request is refused, in a sentence for the client's developer."""

    fault: Fault
    sentence: str


def validated_request(
    asked: ConsentRequestIn,
    enterprise: EnterpriseIn | None,
    *,
    client_id: str,
    amends: str | None = None,
    agreement: Agreement,
    catalogue: Catalogue,
    now: datetime,
) -> Request | Mistake:
    """The request in these members, or the first thing that is wrong with it."""
    uscc = None if enterprise is None else parse_subject(enterprise.uscc)
    if enterprise is not None and uscc is None:
        return _not(Fault.USCC, "enterprise.uscc is not a unified social credit code.")
    until = _term(asked.valid_until, agreement, now)
    unknown = _unknown(asked, catalogue)
    if unknown is not None:
        return unknown
    outside = agreement.missing(
        purpose=asked.purpose,
        datasets=asked.datasets,
        questions=asked.questions,
    )
    if outside:
        sentence = f"This client's agreement does not cover: {', '.join(outside)}."
        return _not(Fault.AGREEMENT, sentence)
    if isinstance(until, Mistake):
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


def _unknown(asked: ConsentRequestIn, catalogue: Catalogue) -> Mistake | None:
    if asked.purpose not in {purpose.value for purpose in Purpose}:
        return _not(Fault.PURPOSE, "There is no such purpose; the documentation lists them.")
    if not asked.datasets and not asked.questions:
        return _not(Fault.NOTHING, "Ask for datasets or questions.")
    datasets = _all_known(Fault.DATASET, asked.datasets, set(catalogue.codes))
    tags = {tag for tag in asked.questions if find_question(tag)}
    return datasets or _all_known(Fault.QUESTION, asked.questions, tags)


def _all_known(what: Fault, names: Iterable[str], known: set[str]) -> Mistake | None:
    unknown = sorted(set(names) - known)
    if not unknown:
        return None
    return _not(what, scan(f"There is no such {what}: {', '.join(unknown)}.").text)  # R5


def _term(text: str | None, agreement: Agreement, now: datetime) -> datetime | Mistake:
    if text is None:
        return min(end_of(day_of(now + DEFAULT_TERM)), agreement.valid_until)
    try:
        ends = parse_time(text)
    except ValueError as error:
        return _not(Fault.TERM, f"valid_until is {error}.")
    if not now < ends <= now + LONGEST_TERM:
        return _not(Fault.TERM, "valid_until is in the future and at most two years ahead.")
    if ends > agreement.valid_until:
        sentence = f"This client's agreement ends on {agreement.valid_until:%Y-%m-%d}, earlier."
        return _not(Fault.AGREEMENT, sentence)
    return ends


def _not(fault: Fault, sentence: str) -> Mistake:
    return Mistake(fault=fault, sentence=sentence)
