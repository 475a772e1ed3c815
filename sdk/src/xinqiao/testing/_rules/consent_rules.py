"""Rules of the consents and the agreement that a test gives its fake gateway, by the published tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, get_args

from xinqiao._core.wire.closed_lists import DATASETS, PURPOSES, QUESTION_RULES, ConsentStatus
from xinqiao._core.wire.dates import CHINA, end_of_term

from .lifetimes import LONGEST_TERM
from .published import names_of
from .request_forms import MOST_USES
from .setup_checks import (
    FakeSetupError,
    credit_code,
    each_known,
    flag,
    identifier,
    known,
    listed,
    mapping,
    moment,
    optional,
    whole,
)

GIVERS: Final = ("enterprise", "person")


def purpose(value: object) -> str:
    """A purpose of the closed list."""
    return known(value, PURPOSES, "purpose")


def datasets(values: object) -> tuple[str, ...]:
    """Datasets of the catalogue."""
    return each_known(values, DATASETS, "dataset")


def questions(values: object) -> tuple[str, ...]:
    """Questions of the catalogue."""
    return each_known(values, QUESTION_RULES, "question")


def term(value: object, now: datetime) -> datetime | None:
    """The end of a term given as a time, as its last day, or not at all; at most two years ahead."""
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        ends = end_of_term(value)
    else:
        ends = moment(value, "end of a term")
    if ends > now + LONGEST_TERM:
        latest = (now + LONGEST_TERM).astimezone(CHINA)
        raise FakeSetupError(f"{value!r} is too far ahead for a term; the latest is {latest}.")
    return ends


def uses(value: object) -> int | None:
    """The number of uses that a consent allows; None is no limit."""
    return optional(lambda given: whole(given, "number of uses", least=1, most=MOST_USES))(value)


def separate_consents(values: object) -> tuple[Mapping[str, Any], ...]:
    """Separate consents as on the wire: `{dataset, fields, given_by}` or `{question, given_by}`."""
    return tuple(_separate_consent(each) for each in listed(values, "separate consent"))


def _separate_consent(value: object) -> Mapping[str, Any]:
    given = mapping(value, ("dataset", "fields", "question", "given_by"), "a separate consent")
    known(given.get("given_by"), GIVERS, "giver of a separate consent")
    if given.keys() == {"question", "given_by"}:
        known(given["question"], QUESTION_RULES, "question")
    elif given.keys() == {"dataset", "fields", "given_by"}:
        dataset = known(given["dataset"], DATASETS, "dataset")
        fields = listed(given["fields"], "field")
        paths([f"{dataset}.{name}" for name in fields], "separate")
    else:
        raise FakeSetupError(
            f"{value!r} is no separate consent: dataset, fields and given_by, or question and given_by."
        )
    return given


def paths(values: object, kind: str) -> tuple[str, ...]:
    """Fields as `dataset.field` that need a separate consent (`separate`), or are `personal`."""
    noun = {"separate": "field that needs a separate consent", "personal": "personal field"}[kind]
    return each_known(values, names_of(kind), noun)


_MOMENT: Final = optional(lambda value: moment(value, "time"))
_ID: Final = optional(lambda value: identifier(value, "consent id"))
#: Check of each member of a consent.
CONSENT: Final[Mapping[str, Callable[[object], object]]] = {
    "consent_id": lambda value: identifier(value, "consent id"),
    "uscc": credit_code,
    "purpose": purpose,
    "datasets": datasets,
    "questions": questions,
    "valid_until": _MOMENT,
    "uses_left": optional(lambda value: whole(value, "uses left", least=0, most=MOST_USES)),
    "max_uses": uses,
    "status": lambda value: known(value, get_args(ConsentStatus), "status of a consent"),
    "separate_consents": separate_consents,
    "unseparated": lambda value: paths(value, "separate"),
    "unlicensed": lambda value: paths(value, "personal"),
    "decided_at": _MOMENT,
    "answer_by": _MOMENT,
    "cool_down_until": _MOMENT,
    "amends": _ID,
}
_ANY_OF: Final[Mapping[str, Callable[[object], tuple[str, ...]]]] = {
    "purposes": lambda value: each_known(value, PURPOSES, "purpose"),
    "datasets": datasets,
    "questions": questions,
}
#: Check of each member of an agreement.
AGREEMENT: Final[Mapping[str, Callable[[object], object]]] = {
    **{name: optional(check) for name, check in _ANY_OF.items()},
    "per_minute": optional(
        lambda value: whole(value, "number of calls a minute", least=1, most=1_000_000)
    ),
    "requires_signed_requests": lambda value: flag(value, "requires_signed_requests"),
}
