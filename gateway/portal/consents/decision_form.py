"""Parse the decision form into a `Choice`, never wider than the request."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from consent import Giver, Scope, SeparateConsents
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.local_dates import day_of, end_of
from gateway.pages.forms import Fields, single_value
from gateway.portal.consents.decision import Choice, DecisionProblem, OpenRequest
from gateway.rfc3339 import parse_date

MOST_USES: Final = 1_000_000
_LONGEST_INPUT: Final = 10
"""Characters of a date or number that a page shows again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeInput:
    """Entries of a decision form, ticked and typed, to be shown again."""

    ticked: frozenset[str]
    """Datasets, questions and separately consented items."""
    last_day: str
    max_uses: str

    @classmethod
    def of_scope(cls, scope: Scope, ticked: Iterable[str] = ()) -> Self:
        """The term and number of uses of a scope."""
        return cls(
            ticked=frozenset(ticked),
            last_day=str(day_of(scope.valid_until - timedelta(microseconds=1))),
            max_uses="" if scope.max_uses is None else str(scope.max_uses),
        )

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """The input of a posted form."""
        ticked = (fields.get(name, []) for name in ("dataset", "question", "separate"))
        return cls(
            ticked=frozenset(item for items in ticked for item in items),
            last_day=single_value(fields, "last_day")[:_LONGEST_INPUT],
            max_uses=single_value(fields, "max_uses")[:_LONGEST_INPUT],
        )


def choice_of(
    fields: Fields,
    opened: OpenRequest,
    *,
    shown_fields: tuple[str, ...],
    in_person: bool,
    now: datetime,
) -> Choice | DecisionProblem:
    """The decision in the form, or what is wrong with it.

    `shown_fields` are those that the page names under its datasets. `in_person` is true of the legal
    representative or operator: nobody else gives the separate consent of that person (R8a).
    """
    if single_value(fields, "text") != opened.text_digest.hex():
        return DecisionProblem.OTHER_TEXT
    match single_value(fields, "decision"):
        case "refuse":
            return Choice(scope=None)
        case "grant" if single_value(fields, "behind") != fields_digest(
            shown_fields, opened.needed
        ):
            return DecisionProblem.OTHER_TEXT
        case "grant":
            return _granted(fields, opened, in_person=in_person, now=now)
        case _:
            return DecisionProblem.NOTHING_CHOSEN


def _granted(
    fields: Fields, opened: OpenRequest, *, in_person: bool, now: datetime
) -> Choice | DecisionProblem:
    if opened.agreement is None:
        return DecisionProblem.NO_AGREEMENT
    ticked = {each for each in opened.needed if each.item in fields.get("separate", [])}
    forged = {each for each in opened.needed if each.item in fields.get("question", [])}
    if not in_person and any(each.giver is Giver.PERSON for each in ticked | forged):
        return DecisionProblem.IN_PERSON
    scope = chosen_scope(fields, opened.consent.scope, opened.needed, now=now)
    if isinstance(scope, DecisionProblem):
        return scope
    alone = ticked - set(scope.separate_consents or ())
    return DecisionProblem.SEPARATE if alone else Choice(scope=scope)


def dataset_fields(
    datasets: Iterable[str], catalogue: Catalogue, kind: str = ""
) -> tuple[str, ...]:
    """The fields of these datasets that a client may receive, as `dataset.field`.

    `kind` is the enterprise's.
    """
    return tuple(
        f"{code}.{each.name}"
        for code in datasets
        for each in catalogue.fields_for(code, Audience.AUTHORISED, kind)
    )


def fields_digest(shown_fields: Iterable[str], needed: SeparateConsents) -> str:
    """SHA-256 of the shown fields and separate consents, posted back to detect a catalogue change."""
    shown = (*shown_fields, *(f"{each.giver.value} {each.item}" for each in needed))
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()


def chosen_scope(
    fields: Fields, asked: Scope, needed: SeparateConsents, *, now: datetime
) -> Scope | DecisionProblem:
    """The chosen part of the scope asked for, or what is wrong with the choice.

    A question in `needed` is chosen by its separate consent alone.
    """
    separated = {each.item for each in needed}
    ticked = separated & set(fields.get("separate", []))
    datasets = tuple(code for code in asked.datasets if code in fields.get("dataset", []))
    plain = set(fields.get("question", [])) - separated
    questions = tuple(tag for tag in asked.questions if tag in ticked | plain)
    if not datasets and not questions:
        return DecisionProblem.SEPARATE if ticked else DecisionProblem.NOTHING_CHOSEN
    until = _until(fields, asked.valid_until)
    if until is None or until <= now:
        return DecisionProblem.TERM
    uses = _uses(fields, asked.max_uses)
    if uses == 0:
        return DecisionProblem.USES
    given = tuple(each for each in needed if each.item in ticked)
    chosen = Scope(
        datasets=datasets,
        questions=questions,
        valid_until=until,
        max_uses=uses,
        separate_consents=given,
    )
    return replace(chosen, separate_consents=chosen.own_separate_consents)


def _until(fields: Fields, asked: datetime) -> datetime | None:
    """The end of the chosen last day, at most the end asked for; `None` if blank or malformed.

    A form without the field asks for no other end.
    """
    if "last_day" not in fields:
        return asked
    try:
        return min(end_of(parse_date(single_value(fields, "last_day"))), asked)
    except ValueError:
        return None


def _uses(fields: Fields, asked: int | None) -> int | None:
    """The chosen number of uses; 0 if malformed, more than asked for, or blank where a number was asked.

    A form without the field asks for no other number.
    """
    written = single_value(fields, "max_uses")
    if "max_uses" not in fields or (asked is None and fields["max_uses"] == [""]):
        return asked
    if not (written.isascii() and written.isdigit() and len(written) <= len(str(MOST_USES))):
        return 0
    uses = int(written)
    return uses if uses <= (MOST_USES if asked is None else asked) else 0
