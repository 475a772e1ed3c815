"""Parse the decision form into a `Choice`, never wider than the request."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from consent import Bilingual, Scope, consent_text
from gateway.clients.terms import ON_A_PERSONS_ID
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.local_dates import end_of
from gateway.pages.forms import Fields, one
from gateway.portal.consents.decision import Choice, DecisionProblem
from gateway.portal.page_queries import EnterpriseCard
from gateway.rfc3339 import parse_date

MOST_USES: Final = 1_000_000
INDIVIDUAL_BUSINESS: Final = "individual_business"


def choice_of(
    fields: Fields,
    asked: Scope,
    text: tuple[Bilingual, ...],
    *,
    shown_fields: tuple[str, ...],
    card: EnterpriseCard,
    in_person: bool,
    now: datetime,
) -> Choice | DecisionProblem:
    """What the person decided before this `text` and these `shown_fields` of the datasets, or what is
    wrong with the form.

    Whoever may not decide `in_person` gives no separate consent and answers nothing on a person's ID.
    """
    if one(fields, "text") != consent_text.text_digest(text).hex():
        return DecisionProblem.OTHER_TEXT
    match one(fields, "decision"):
        case "refuse":
            return Choice(uscc=card.uscc, scope=None)
        case "grant" if one(fields, "behind") != digest_of(shown_fields):
            return DecisionProblem.OTHER_TEXT
        case "grant":
            scope = chosen_scope(fields, asked, now=now)
            if isinstance(scope, DecisionProblem):
                return scope
            lacks = _lacks(fields, natural=card.kind == INDIVIDUAL_BUSINESS, in_person=in_person)
            return lacks or Choice(uscc=card.uscc, scope=scope)
        case _:
            return DecisionProblem.NOTHING_CHOSEN


def _lacks(fields: Fields, *, natural: bool, in_person: bool) -> DecisionProblem | None:
    """What is wrong with who consents, or how."""
    if not in_person and (natural or in_person_only(fields.get("question", []))):
        return DecisionProblem.IN_PERSON
    return DecisionProblem.SEPARATE if natural and one(fields, "separate") != "yes" else None


def in_person_only(questions: Iterable[str]) -> list[str]:
    """Those of them that only the person concerned can decide."""
    return [tag for tag in questions if tag in ON_A_PERSONS_ID]


def fields_behind(datasets: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """What a page names behind these datasets, as `dataset.field`: all that a client may be told."""
    return tuple(
        f"{code}.{each.name}"
        for code in datasets
        for each in catalogue.fields_for(code, Audience.AUTHORISED)
    )


def digest_of(shown_fields: Iterable[str]) -> str:
    """By which a form says which fields its page has named."""
    return hashlib.sha256("\n".join(shown_fields).encode()).hexdigest()


def chosen_scope(fields: Fields, asked: Scope, *, now: datetime) -> Scope | DecisionProblem:
    """The scope that the person chose, or what is wrong with it."""
    datasets = tuple(code for code in asked.datasets if code in fields.get("dataset", []))
    questions = tuple(tag for tag in asked.questions if tag in fields.get("question", []))
    if not datasets and not questions:
        return DecisionProblem.NOTHING_CHOSEN
    until = _until(one(fields, "last_day"), asked.valid_until)
    if until is None or until <= now:
        return DecisionProblem.TERM
    uses = _uses(one(fields, "max_uses"), asked.max_uses)
    if uses == 0:
        return DecisionProblem.USES
    return Scope(datasets=datasets, questions=questions, valid_until=until, max_uses=uses)


def _until(last_day: str, asked: datetime) -> datetime | None:
    """The end of the chosen last day, and no later than asked; what was asked if none is chosen."""
    if not last_day:
        return asked
    try:
        return min(end_of(parse_date(last_day)), asked)
    except ValueError:
        return None


def _uses(written: str, asked: int | None) -> int | None:
    """How often; 0 where that cannot be read or is more than asked."""
    if not written:
        return asked
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(MOST_USES))):
        return 0
    uses = int(written)
    return uses if uses <= (MOST_USES if asked is None else asked) else 0
