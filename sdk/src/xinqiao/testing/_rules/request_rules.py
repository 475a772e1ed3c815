"""Rules of requests: each reads a body and gives what is wrong with it, or None.

They judge by the published tables, in the gateway's order, and never by an enterprise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

from xinqiao._core.wire.closed_lists import DATASETS, PURPOSES, QUESTION_RULES, QuestionRule
from xinqiao._core.wire.strict import parse_time
from xinqiao._core.wire.uscc import is_code, normalise

from .lifetimes import LONGEST_TERM

Body: TypeAlias = Mapping[str, Any]


class Wrong(NamedTuple):
    """Problem of a request: its code, its sentence where that is not the code's, the seconds to wait."""

    code: str
    detail: str | None = None
    retry_after: int | None = None


_WANTED_GROUP: Final = "is a group of GB/T 4754: three digits, such as 521"
_TIME: Final = "a time of RFC 3339 with its offset, as 2026-11-22T10:00:00+08:00"
_INDUSTRY_GROUP: Final = re.compile(r"[A-Z]?\d{3}", re.ASCII)


def verification_problem(body: Body) -> Wrong | None:
    """Problem with a well-formed verification."""
    asked = body["questions"]
    tags = [each["question"] for each in asked]
    pairs = [(each["question"], _hashable(each.get("value"))) for each in asked]
    if not is_code(body["enterprise"]["uscc"]):
        return Wrong("invalid_uscc")
    if body["purpose"] not in PURPOSES:
        return Wrong("unknown_purpose")
    if not set(tags) <= QUESTION_RULES.keys():
        return Wrong("unknown_question")
    if len(set(pairs)) < len(pairs):
        return Wrong("invalid_request", "Ask each question, with each value, once.")
    found = next(filter(None, map(problem_with_value, asked)), None)
    return None if found is None else Wrong("invalid_request", found)


def query_problem(body: Body) -> Wrong | None:
    """Problem with a well-formed query, but for its cursor."""
    if not is_code(body["enterprise"]["uscc"]):
        return Wrong("invalid_uscc")
    if body["purpose"] not in PURPOSES:
        return Wrong("unknown_purpose")
    if not set(body["datasets"]) <= set(DATASETS):
        return Wrong("unknown_dataset")
    if len(set(body["datasets"])) < len(body["datasets"]):
        return Wrong("invalid_request", "Name each dataset once.")
    wanted = body.get("filter", {})
    first, last = wanted.get("decided_from"), wanted.get("decided_to")
    if first and last and first > last:
        return Wrong("invalid_request", "filter.decided_from is later than filter.decided_to.")
    return None


def consent_problem(body: Body) -> Wrong | None:
    """Problem with a well-formed request for a consent, by link or pushed, but for its term."""
    if "enterprise" in body and not is_code(body["enterprise"]["uscc"]):
        return Wrong("invalid_uscc")
    if body["purpose"] not in PURPOSES:
        return Wrong("unknown_purpose", "There is no such purpose; the documentation lists them.")
    datasets, questions = body.get("datasets", ()), body.get("questions", ())
    if not datasets and not questions:
        return Wrong("invalid_request", "Ask for datasets or questions.")
    if unknown := sorted(set(datasets) - set(DATASETS)):
        return Wrong("unknown_dataset", f"There is no such dataset: {', '.join(unknown)}.")
    if unknown := sorted(set(questions) - QUESTION_RULES.keys()):
        return Wrong("unknown_question", f"There is no such question: {', '.join(unknown)}.")
    return None


def term_problem(body: Body, when: datetime) -> Wrong | None:
    """Problem with the term that a request for a consent asks for."""
    text = body.get("valid_until")
    if text is None:
        return None
    try:
        ends = parse_time(text)
        ends.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        wanted = _TIME if "RFC 3339" in str(error) else "a time of our era"
        return Wrong("invalid_request", f"valid_until is {wanted}.")
    if when < ends <= when + LONGEST_TERM:
        return None
    return Wrong("invalid_request", "valid_until is in the future and at most two years ahead.")


def problem_with_value(asked: Body) -> str | None:
    """A sentence on the value of a question, without what was sent; None if it takes it."""
    tag, value = asked["question"], asked.get("value")
    rule = QUESTION_RULES[tag]
    if value is None:
        takes = rule.value == "none" or rule.optional
        return None if takes else f"{tag} needs a value."
    match rule.value:
        case "none":
            return f"{tag} takes no value."
        case "one_of":
            return (
                None if value in rule.one_of else f"{tag} takes one of: {', '.join(rule.one_of)}."
            )
        case "text" if isinstance(value, str):
            return _problem_with_text(tag, tag, value)
        case "elements":
            return _problem_with_members(tag, rule, value)
        case _:
            return f"{tag} takes a text."


def _problem_with_members(tag: str, rule: QuestionRule, value: object) -> str | None:
    given = value if isinstance(value, dict) else {}
    told = {name: text for name, text in given.items() if text is not None}
    if told.keys() != rule.members.keys() or not all(
        isinstance(each, str) for each in told.values()
    ):
        return f"{tag} takes an object of texts: {', '.join(rule.members)}."
    problems = (
        _problem_with_text(question, f"{tag}, {name},", told[name])
        for name, question in rule.members.items()
    )
    return next(filter(None, problems), None)


def _problem_with_text(tag: str, label: str, value: str) -> str | None:
    form = normalise(value)
    if tag == "scope_includes.v1":
        fits, wanted = _INDUSTRY_GROUP.fullmatch(form) is not None, _WANTED_GROUP
    else:
        fits, wanted = form != "", "is not blank"
    return None if fits else f"{label} needs a value that {wanted}."


def _hashable(value: object) -> object:
    return tuple(sorted(value.items())) if isinstance(value, dict) else value
