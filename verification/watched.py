"""Watched answers of a question: every one that it can have without a consent. Pure.

Two states are equal where no call without a consent would be answered differently. A state is compared,
never told.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from verification.asked_question import find_question, normal_form
from verification.facts import STAND_IN, Facts, as_date
from verification.matching import TEXTS
from verification.question import Question
from verification.record_rules import licence_number_answers
from verification.registration_rules import months_after, scope_digits, yearly_days
from verification.rule_verdict import of_dataset
from verification.rules import RULES, years_after

_YEARS: Final = (1, 3, 5, 10)
_MONTHS: Final = (6, 12)
_OF_A_TEXT: Final[dict[str, Callable[[Facts, date], object]]] = {
    "licence_number_valid.v1": licence_number_answers,
    "scope_includes.v1": lambda facts, _: {each[:3] for each in scope_digits(facts)},
}
"""What an asserted text is compared with, beside `TEXTS`."""


def is_watchable(question: Question) -> bool:
    """True where the question can be asked without a consent."""
    return not question.needs_consent


def watched_state(tag: str, facts: Facts | None, *, today: date) -> str:
    """The answers to a question, as one text; `facts` is `None` for an unknown enterprise.

    Of a question that takes a text it is the text compared with, of a group those of its elements, of
    one with fixed values the answer to each of them.
    """
    found = find_question(tag)
    if found is None or not is_watchable(found):
        raise ValueError(f"{tag} cannot be watched")
    return repr(_state(found, facts, today))


def _state(question: Question, facts: Facts | None, today: date) -> object:
    if question.elements:
        elements = (find_question(each.question) for each in question.elements)
        return [_state(each, facts, today) for each in elements if each is not None]
    known = facts if facts and facts.available.issuperset(question.datasets) else None
    if question.value == "text":
        return None if known is None else _compared(question, known, today)
    rule = RULES[question.tag]
    answers = [rule(known or STAND_IN, each, today).answer for each in _open_values(question)]
    return answers if known else ["not_determined" for _ in answers]


def _compared(question: Question, facts: Facts, today: date) -> object:
    text = TEXTS.get(question.tag)
    if text is None:
        compared = _OF_A_TEXT[question.tag](facts, today)
        return sorted(compared) if isinstance(compared, set) else compared
    return normal_form(question, text(facts) or "")


def _open_values(question: Question) -> list[str | None]:
    """The fixed values with which the question can be asked without a consent."""
    return [
        each
        for each in (None, *question.values)
        if question.offers(each) and not question.needs_consent_for(each)
    ]


def next_day(facts: Facts, today: date) -> date:
    """The next day on which an answer may change while the facts stay as they are."""
    return min((day for day in _turning_days(facts, today) if day > today), default=date.max)


def _turning_days(facts: Facts, today: date) -> Iterator[date]:
    yield from yearly_days(today.year)
    yield from yearly_days(today.year + 1)
    founded = facts.established_on
    if founded is not None:
        yield from (years_after(founded, years) for years in _YEARS)
        yield from _ends_of_months(founded)
    for each in of_dataset(facts, "registration"):
        yield from _days_after(each.fields.get("term_to"))
        yield from _ends_of_months(as_date(each.fields.get("approved_on")))
    for each in of_dataset(facts, "change"):
        yield from _ends_of_months(as_date(each.fields.get("changed_on")))
    for each in of_dataset(facts, "licence"):
        start = as_date(each.fields.get("valid_from"))
        yield from () if start is None else (start,)
        yield from _days_after(each.fields.get("valid_to"))


def _days_after(last: object) -> Iterator[date]:
    day = as_date(last)
    if day is not None and day < date.max:
        yield day + timedelta(days=1)


def _ends_of_months(day: date | None) -> Iterator[date]:
    """Days on one of which that many months have passed since a day: the last month may be shorter."""
    if day is None:
        return
    for months in _MONTHS:
        last = months_after(day, months)
        yield last
        yield from _days_after(last)
