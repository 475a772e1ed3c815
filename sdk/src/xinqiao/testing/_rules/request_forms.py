"""Forms of requests: the members of each body, and what is wrong with them, in the gateway's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final, TypeAlias, get_args

from xinqiao._core.wire.closed_lists import (
    LONGEST_VALUE,
    QUESTION_RULES,
    ApplicationOutcome,
    OutcomeReason,
)

#: Yields the place of each wrong member, and what to give there instead.
Form: TypeAlias = Callable[[Any], Iterator[tuple[str, str]]]
#: By name: whether it is required, and its form.
Members: TypeAlias = Mapping[str, tuple[bool, Form]]

MOST_USES: Final = 100_000
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9_.]+", re.ASCII)
_MOST_QUESTIONS, _MOST_DATASETS, _MOST_NAMES = 20, 32, 64
_LARGEST_PAGE: Final = 200
_MOST_LISTED: Final = 1_000_000


def holds_nul(value: Any) -> bool:
    """True if a text in a JSON value has the character U+0000."""
    if isinstance(value, dict):
        return any(map(holds_nul, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(holds_nul, value))
    return isinstance(value, str) and "\0" in value


def mistakes_of(form: Form, value: Any, *, most: int, root: str = "") -> str | None:
    """A sentence on the first wrong members of a value at `root`, or None."""
    told: dict[str, list[str]] = {}
    for place, sentence in form(value):
        told.setdefault(f"{root}{place}".lstrip(".") or "body", []).append(sentence)
    shown = "; ".join(f"{place}: {' or '.join(said)}" for place, said in islice(told.items(), most))
    return shown or None


def _object(members: Members) -> Form:
    def check(value: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(value, Mapping):
            yield "", "give an object"
            return
        for name, (required, form) in members.items():
            if name in value:
                yield from ((f".{name}{place}", said) for place, said in form(value[name]))
            elif required:
                yield f".{name}", "is required"
        yield from ((f".{name}", "is not known here") for name in value.keys() - members.keys())

    return check


def _text(longest: int, shortest: int = 0, pattern: re.Pattern[str] | None = None) -> Form:
    def check(value: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(value, str):
            yield "", "give a text"
        elif len(value) < shortest:
            yield "", f"give at least {shortest} characters"
        elif len(value) > longest:
            yield "", f"give at most {longest} characters"
        elif pattern is not None and not pattern.fullmatch(value):
            yield "", f"give a text of the form ^{pattern.pattern}$"

    return check


def _one_of(*values: str) -> Form:
    first, last = ", ".join(f"'{each}'" for each in values[:-1]), values[-1]

    def check(value: Any) -> Iterator[tuple[str, str]]:
        if value not in values:
            yield "", f"give {first} or '{last}'"

    return check


def _or_null(form: Form) -> Form:
    return lambda value: iter(()) if value is None else form(value)


def _list(form: Form, most: int, least: int = 1) -> Form:
    def check(value: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(value, list):
            yield "", "give a list"
        elif len(value) < least:
            yield "", f"give at least {least} items"
        elif len(value) > most:
            yield "", f"give at most {most} items"
        else:
            for number, each in enumerate(value):
                yield from ((f"[{number}]{place}", said) for place, said in form(each))

    return check


def _whole(most: int) -> Form:
    def check(value: Any) -> Iterator[tuple[str, str]]:
        if type(value) is not int:
            yield "", "give a whole number"
        elif value < 1:
            yield "", "give 1 or more"
        elif value > most:
            yield "", f"give {most} or less"

    return check


def _day(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        yield "", "a day as 2026-11-22 (RFC 3339)"
        return
    try:
        date.fromisoformat(value)
    except ValueError:
        yield "", "a day of the calendar"


def _type(value: Any) -> Iterator[tuple[str, str]]:
    if value != "credit_data":
        yield "", "give 'credit_data'"


_ELEMENTS: Final = _object(
    {
        name: (False, _or_null(_text(LONGEST_VALUE)))
        for name in QUESTION_RULES["four_elements.v1"].members
    }
)


def _value(value: Any) -> Iterator[tuple[str, str]]:
    """A text, or an object of texts."""
    if isinstance(value, dict):
        yield from _ELEMENTS(value)
        return
    wrong = list(_text(LONGEST_VALUE)(value))
    yield from wrong
    if wrong:
        yield "", "give an object"


_ENTERPRISE: Final = _object({"uscc": (True, _text(64))})
_QUESTION: Final = _object(
    {"question": (True, _text(LONGEST_VALUE, 1)), "value": (False, _or_null(_value))}
)
_FILTER: Final = _object(
    {"decided_from": (False, _or_null(_day)), "decided_to": (False, _or_null(_day))}
)
_PAGE: Final = _object(
    {"size": (False, _whole(_LARGEST_PAGE)), "cursor": (False, _or_null(_text(1024)))}
)
_NAMES: Final = _list(_text(64, 1, _NAME), _MOST_NAMES, 0)
_CONSENT: Final[Members] = {
    "purpose": (True, _text(64)),
    "bundle": (False, _or_null(_text(64, 1, _NAME))),
    "datasets": (False, _NAMES),
    "questions": (False, _NAMES),
    "valid_until": (False, _or_null(_text(40))),
    "max_uses": (False, _or_null(_whole(MOST_USES))),
}
#: The form of a body by path of its endpoint.
FORMS: Final[Mapping[str, Form]] = {
    "/v1/verifications": _object(
        {
            "enterprise": (True, _ENTERPRISE),
            "purpose": (True, _text(LONGEST_VALUE, 1)),
            "bundle": (False, _or_null(_text(LONGEST_VALUE, 1))),
            "questions": (False, _or_null(_list(_QUESTION, _MOST_QUESTIONS))),
        }
    ),
    "/v1/queries": _object(
        {
            "enterprise": (True, _ENTERPRISE),
            "purpose": (True, _text(64, 1)),
            "consent_id": (False, _or_null(_text(64, 1))),
            "bundle": (False, _or_null(_text(64, 1))),
            "datasets": (False, _or_null(_list(_text(64, 1), _MOST_DATASETS))),
            "filter": (False, _FILTER),
            "page": (False, _PAGE),
        }
    ),
    "/v1/consents": _object(
        {**_CONSENT, "enterprise": (True, _ENTERPRISE), "amends": (False, _or_null(_text(64, 1)))}
    ),
    "/v1/watches/": _object(
        {
            "purpose": (True, _text(64)),
            "bundle": (False, _or_null(_text(64))),
            "questions": (False, _or_null(_list(_text(64), _MOST_QUESTIONS))),
            "enterprises": (True, _list(_text(64), _MOST_LISTED)),
        }
    ),
    "/v1/queries/": _object(
        {
            "outcome": (True, _one_of(*get_args(ApplicationOutcome))),
            "reasons": (False, _list(_one_of(*get_args(OutcomeReason)), 5, 0)),
        }
    ),
    "/v1/changes/ack": _object({"cursor": (True, _text(64, 1))}),
    "/oauth/par": _object(
        {**_CONSENT, "type": (True, _type), "enterprise": (False, _or_null(_ENTERPRISE))}
    ),
}
