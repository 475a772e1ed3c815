"""Parse the decision form into a `Choice`, never wider than the request."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from consent import Scope
from gateway.clients.terms import ON_A_PERSONS_ID
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.local_dates import end_of
from gateway.pages.forms import Fields, single_value
from gateway.portal.consents.decision import Choice, DecisionProblem, OpenRequest
from gateway.rfc3339 import parse_date

MOST_USES: Final = 1_000_000


def choice_of(
    fields: Fields,
    opened: OpenRequest,
    *,
    shown_fields: tuple[str, ...],
    in_person: bool,
    now: datetime,
) -> Choice | DecisionProblem:
    """The decision in the form, or what is wrong with it.

    `shown_fields` are those that the page names under its datasets. Without `in_person` there is no
    separate consent, and nothing is answered on a person's ID.
    """
    if single_value(fields, "text") != opened.text_digest.hex():
        return DecisionProblem.OTHER_TEXT
    match single_value(fields, "decision"):
        case "refuse":
            return Choice(scope=None)
        case "grant" if single_value(fields, "behind") != fields_digest(shown_fields):
            return DecisionProblem.OTHER_TEXT
        case "grant":
            scope = chosen_scope(fields, opened.consent.scope, now=now)
            if isinstance(scope, DecisionProblem):
                return scope
            natural = opened.enterprise.is_individual_business
            lacks = _lacks(fields, natural=natural, in_person=in_person)
            return lacks or Choice(scope=scope)
        case _:
            return DecisionProblem.NOTHING_CHOSEN


def _lacks(fields: Fields, *, natural: bool, in_person: bool) -> DecisionProblem | None:
    """The part of a grant that only the person concerned can give, and has not given."""
    if not in_person and (natural or in_person_only(fields.get("question", []))):
        return DecisionProblem.IN_PERSON
    separate = single_value(fields, "separate") == "yes"
    return DecisionProblem.SEPARATE if natural and not separate else None


def in_person_only(questions: Iterable[str]) -> list[str]:
    """The questions that only the person concerned can decide."""
    return [tag for tag in questions if tag in ON_A_PERSONS_ID]


def dataset_fields(datasets: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """The fields of these datasets that a client may receive, as `dataset.field`."""
    return tuple(
        f"{code}.{each.name}"
        for code in datasets
        for each in catalogue.fields_for(code, Audience.AUTHORISED)
    )


def fields_digest(shown_fields: Iterable[str]) -> str:
    """SHA-256 of the shown fields, posted back to detect a catalogue change."""
    return hashlib.sha256("\n".join(shown_fields).encode()).hexdigest()


def chosen_scope(fields: Fields, asked: Scope, *, now: datetime) -> Scope | DecisionProblem:
    """The chosen part of the scope asked for, or what is wrong with the choice."""
    datasets = tuple(code for code in asked.datasets if code in fields.get("dataset", []))
    questions = tuple(tag for tag in asked.questions if tag in fields.get("question", []))
    if not datasets and not questions:
        return DecisionProblem.NOTHING_CHOSEN
    until = _until(single_value(fields, "last_day"), asked.valid_until)
    if until is None or until <= now:
        return DecisionProblem.TERM
    uses = _uses(single_value(fields, "max_uses"), asked.max_uses)
    if uses == 0:
        return DecisionProblem.USES
    return Scope(datasets=datasets, questions=questions, valid_until=until, max_uses=uses)


def _until(last_day: str, asked: datetime) -> datetime | None:
    """The end of the chosen last day, by default and at most the end asked for; `None` if malformed."""
    if not last_day:
        return asked
    try:
        return min(end_of(parse_date(last_day)), asked)
    except ValueError:
        return None


def _uses(written: str, asked: int | None) -> int | None:
    """The chosen number of uses, by default that asked for; 0 if malformed or more."""
    if not written:
        return asked
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(MOST_USES))):
        return 0
    uses = int(written)
    return uses if uses <= (MOST_USES if asked is None else asked) else 0
