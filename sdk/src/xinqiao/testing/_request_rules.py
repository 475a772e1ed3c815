"""Rules of requests: each reads a body and gives the code of the problem with it, or None.

They judge by the published tables, in the gateway's order, and never by an enterprise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from xinqiao._core.closed_lists import (
    DATASETS,
    LONGEST_VALUE,
    PURPOSES,
    QUESTION_RULES,
    QuestionRule,
)
from xinqiao._core.strict import parse_date, parse_time
from xinqiao._core.uscc import is_code, normalise

Body: TypeAlias = Mapping[str, Any]
Check: TypeAlias = Callable[[Any], bool]

_NAME: Final = re.compile(r"[a-z0-9_.]{1,64}", re.ASCII)
_INDUSTRY_GROUP: Final = re.compile(r"[A-Z]?\d{3}", re.ASCII)
LONGEST_TERM: Final = timedelta(days=2 * 365 + 1)
_MOST_QUESTIONS, _MOST_DATASETS, _MOST_NAMES = 20, 32, 64
_LARGEST_PAGE, MOST_USES = 200, 100_000


def verification_problem(body: Body) -> str | None:
    """Problem with a well-formed verification."""
    asked = body["questions"]
    tags = [each["question"] for each in asked]
    pairs = [(each["question"], _hashable(each.get("value"))) for each in asked]
    if not is_code(body["enterprise"]["uscc"]):
        return "invalid_uscc"
    if body["purpose"] not in PURPOSES:
        return "unknown_purpose"
    if not set(tags) <= QUESTION_RULES.keys():
        return "unknown_question"
    if len(set(pairs)) < len(pairs) or not all(map(has_its_value, asked)):
        return "invalid_request"
    return None


def query_problem(body: Body) -> str | None:
    """Problem with a well-formed query, but for its cursor."""
    if not is_code(body["enterprise"]["uscc"]):
        return "invalid_uscc"
    if body["purpose"] not in PURPOSES:
        return "unknown_purpose"
    if not set(body["datasets"]) <= set(DATASETS):
        return "unknown_dataset"
    wanted = body.get("filter", {})
    first, last = wanted.get("decided_from"), wanted.get("decided_to")
    if first and last and first > last:
        return "invalid_request"
    return "invalid_request" if len(set(body["datasets"])) < len(body["datasets"]) else None


def consent_problem(body: Body, when: datetime) -> str | None:
    """Problem with a well-formed request for a consent, by link or pushed."""
    if "enterprise" in body and not is_code(body["enterprise"]["uscc"]):
        return "invalid_uscc"
    if body["purpose"] not in PURPOSES:
        return "unknown_purpose"
    datasets, questions = body.get("datasets", ()), body.get("questions", ())
    if not set(datasets) <= set(DATASETS):
        return "unknown_dataset"
    if not set(questions) <= QUESTION_RULES.keys():
        return "unknown_question"
    ends = body.get("valid_until")
    fits = ends is None or when < parse_time(ends) <= when + LONGEST_TERM
    return None if fits and (datasets or questions) else "invalid_request"


def has_its_value(asked: Body) -> bool:
    """Whether a question has the value that it takes."""
    rule, value = QUESTION_RULES[asked["question"]], asked.get("value")
    if value is None:
        return rule.value == "none" or rule.optional
    match rule.value:
        case "one_of":
            return value in rule.one_of
        case "text":
            return _is_told_text(asked["question"], value)
        case "elements":
            return _has_its_members(rule, value)
        case _:
            return False


def _has_its_members(rule: QuestionRule, value: object) -> bool:
    if not isinstance(value, dict):
        return False
    given = {name: text for name, text in value.items() if text is not None}
    return given.keys() == rule.members.keys() and all(
        _is_told_text(rule.members[name], text) for name, text in given.items()
    )


def _is_told_text(tag: str, value: object) -> bool:
    """True for a text that is not blank; of a group of industries, its three digits."""
    if not isinstance(value, str):
        return False
    form = normalise(value)
    return form != "" if tag != "scope_includes.v1" else _INDUSTRY_GROUP.fullmatch(form) is not None


# Shapes: members by name, each with whether it is required and the check of its value


def _is_object(value: object, members: Mapping[str, tuple[bool, Check]]) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() <= members.keys()
        and all(
            check(value[name]) if name in value else not required
            for name, (required, check) in members.items()
        )
    )


def _object(members: Mapping[str, tuple[bool, Check]]) -> Check:
    return lambda value: _is_object(value, members)


def _text(longest: int, shortest: int = 1) -> Check:
    return lambda value: (
        isinstance(value, str) and shortest <= len(value) <= longest and "\0" not in value
    )


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _list(check: Check, most: int, least: int = 1) -> Check:
    return lambda value: (
        isinstance(value, list) and least <= len(value) <= most and all(map(check, value))
    )


def _whole(most: int) -> Check:
    return lambda value: type(value) is int and 1 <= value <= most


def _parsed_by(parse: Callable[[str], object]) -> Check:
    def check(value: Any) -> bool:
        try:
            parse(value)
        except (ValueError, TypeError):
            return False
        return True

    return check


def _is_value(value: object) -> bool:
    text = _text(LONGEST_VALUE)
    if not isinstance(value, dict):
        return text(value)
    members = {name for each in QUESTION_RULES.values() for name in each.members}
    return value.keys() <= members and all(map(_or_null(text), value.values()))


def _hashable(value: object) -> object:
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


_ENTERPRISE: Final = _object({"uscc": (True, _text(64, 0))})
_QUESTION: Final = _object(
    {"question": (True, _text(LONGEST_VALUE)), "value": (False, _or_null(_is_value))}
)
_VERIFICATION: Final[Mapping[str, tuple[bool, Check]]] = {
    "enterprise": (True, _ENTERPRISE),
    "purpose": (True, _text(LONGEST_VALUE)),
    "questions": (True, _list(_QUESTION, _MOST_QUESTIONS)),
}
_DAY: Final = _or_null(_parsed_by(parse_date))
_QUERY: Final[Mapping[str, tuple[bool, Check]]] = {
    "enterprise": (True, _ENTERPRISE),
    "purpose": (True, _text(64)),
    "consent_id": (False, _or_null(_text(64))),
    "datasets": (True, _list(_text(64), _MOST_DATASETS)),
    "filter": (False, _object({"decided_from": (False, _DAY), "decided_to": (False, _DAY)})),
    "page": (
        False,
        _object(
            {"size": (False, _whole(_LARGEST_PAGE)), "cursor": (False, _or_null(_text(1024, 0)))}
        ),
    ),
}
_NAMES: Final = _list(
    lambda value: isinstance(value, str) and _NAME.fullmatch(value) is not None, _MOST_NAMES, 0
)
_CONSENT: Final[Mapping[str, tuple[bool, Check]]] = {
    "enterprise": (False, _ENTERPRISE),
    "purpose": (True, _text(64, 0)),
    "datasets": (False, _NAMES),
    "questions": (False, _NAMES),
    "valid_until": (False, _or_null(_parsed_by(parse_time))),
    "max_uses": (False, _or_null(_whole(MOST_USES))),
}
#: The form of a body by path of its endpoint.
FORMS: Final[Mapping[str, Check]] = {
    "/v1/verifications": _object(_VERIFICATION),
    "/v1/queries": _object(_QUERY),
    "/v1/consents": _object(
        {**_CONSENT, "enterprise": (True, _ENTERPRISE), "amends": (False, _or_null(_text(64)))}
    ),
    "/v1/changes/ack": _object({"cursor": (True, _text(64))}),
    "/oauth/par": _object({**_CONSENT, "type": (True, lambda value: value == "credit_data")}),
}
