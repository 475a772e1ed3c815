"""Rules of the records and answers that a test gives its fake gateway, by the published tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, get_args

from xinqiao._core.wire.closed_lists import DATASETS, LONGEST_VALUE, QUESTION_RULES
from xinqiao._core.wire.results import AnswerValue
from xinqiao._core.wire.strict import parse_date
from xinqiao.testing._state.ids import new_id

from .published import FIELDS
from .request_rules import problem_with_value
from .setup_checks import (
    FakeSetupError,
    identifier,
    known,
    mapping,
    optional,
    time_text,
    whole,
    written,
)

_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,6})?")
_MOST_VERSIONS: Final = 1_000_000
ELEMENTS: Final = tuple(QUESTION_RULES["four_elements.v1"].members)


# Records


def checked_record(record: object) -> dict[str, Any]:
    """A record in the wire's form, with an id; what the gateway fills in may be left out."""
    given = dict(mapping(record, (*_MEMBERS, "fields"), "a record"))
    if "dataset" not in given:
        raise FakeSetupError(f"{record!r} lacks its dataset.")
    dataset = known(given["dataset"], DATASETS, "dataset")
    for name, check in _MEMBERS.items():
        if name in given:
            check(given[name])
    return {
        "record_id": new_id("rec"),
        **given,
        "fields": checked_fields(dataset, given.get("fields", {})),
    }


def checked_fields(dataset: str, fields: object) -> dict[str, Any]:
    """Fields of a dataset, each with a value of its type."""
    rules = FIELDS[dataset]
    given = mapping(fields, tuple(rules), f"the fields of {dataset}")
    for name, value in given.items():
        rule, noun = rules[name], f"value of {dataset}.{name}"
        if value is None:
            raise FakeSetupError(f"None is no {noun}: the gateway leaves out what it has not.")
        _TYPES[rule["type"]](value, noun)
        if "values" in rule:
            for each in value if rule["type"] == "texts" else [value]:
                known(each, rule["values"], noun)
    return dict(given)


def _source(value: object) -> None:
    source = mapping(value, ("name", "uscc"), "a record's source")
    written(source.get("name"), "name of a source")
    optional(lambda code: written(code, "code of a source"))(source.get("uscc"))


def _objection(value: object) -> None:
    if value is not None:
        objection = mapping(value, ("since",), "an objection")
        optional(lambda since: time_text(since, "time of an objection"))(objection.get("since"))


_MEMBERS: Final[Mapping[str, Callable[[object], object]]] = {
    "dataset": lambda value: known(value, DATASETS, "dataset"),
    "record_id": lambda value: identifier(value, "record id"),
    "version": lambda value: whole(value, "version", least=1, most=_MOST_VERSIONS),
    "source": _source,
    "source_time": lambda value: time_text(value, "source time"),
    "catalogue_version": lambda value: written(value, "version of the catalogue"),
    "objection": _objection,
    "use_until": optional(lambda value: time_text(value, "end of use")),
}


def _text(value: object, noun: str) -> None:
    if not isinstance(value, str):
        raise FakeSetupError(f"{value!r} is no {noun}: it is a text, {str(value)!r}.")


def _texts(value: object, noun: str) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        near = [value] if isinstance(value, str) else ["…"]
        raise FakeSetupError(f"{value!r} is no {noun}: it is a list of texts, such as {near!r}.")


def _day(value: object, noun: str) -> None:
    near = _iso(value)
    try:
        parse_date(value)  # type: ignore[arg-type]  # whatever a test gave
    except (ValueError, TypeError):
        raise FakeSetupError(
            f"{value!r} is no {noun}: a day as the wire writes it, {near!r}."
        ) from None


def _iso(value: object) -> str:
    """The nearest day to a value that is none."""
    if isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    figures = re.findall(r"\d+", str(value))
    try:
        return date(*map(int, figures[:3])).isoformat()
    except (ValueError, TypeError, OverflowError):
        return "2026-01-31"


def _month(value: object, noun: str) -> None:
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        raise FakeSetupError(f"{value!r} is no {noun}: a month as text, {_iso(value)[:7]!r}.")


def _boolean(value: object, noun: str) -> None:
    if not isinstance(value, bool):
        raise FakeSetupError(f"{value!r} is no {noun}: it is True or False.")


def _integer(value: object, noun: str) -> None:
    if type(value) is not int:
        raise FakeSetupError(f"{value!r} is no {noun}: it is a whole number, such as 3.")


def _decimal(value: object, noun: str) -> None:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        near = f"{value:f}" if type(value) in {int, float} else "1.200000"
        raise FakeSetupError(
            f"{value!r} is no {noun}: a decimal as text, at most six digits after the point, {near!r}."
        )


def _indicators(value: object, noun: str) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(each, dict) for each in value):
        raise FakeSetupError(f"{value!r} is no {noun}: a list of indicators, each an object.")


_TYPES: Final[Mapping[str, Callable[[object, str], None]]] = {
    "text": _text,
    "texts": _texts,
    "date": _day,
    "month": _month,
    "boolean": _boolean,
    "integer": _integer,
    "decimal": _decimal,
    "indicators": _indicators,
}


# Answers


def checked_answers(answers: object) -> dict[str | tuple[str, str], str]:
    """Answers by question, or by question and value; of a group by question, or from elements."""
    if not isinstance(answers, Mapping):
        raise FakeSetupError(f"{answers!r} is no mapping from questions to answers.")
    return {_asked(key): _answer(value, key) for key, value in answers.items()}


def _asked(key: object) -> str | tuple[str, str]:
    if not isinstance(key, tuple):
        return known(key, QUESTION_RULES, "question")
    if len(key) != 2:  # noqa: PLR2004 - a pair
        raise FakeSetupError(f"{key!r} is no pair of a question and its value.")
    tag = known(key[0], QUESTION_RULES, "question")
    rule, value = QUESTION_RULES[tag], key[1]
    if rule.value == "none":
        raise FakeSetupError(f"{tag} takes no value, so not {value!r}: answers={{{tag!r}: …}}.")
    if rule.value == "elements":
        raise FakeSetupError(f"{value!r} is no value of {tag}, which takes elements: elements=….")
    if rule.value == "one_of":
        known(value, rule.one_of, f"value of {tag}")
    elif problem_with_value({"question": tag, "value": value}) or len(value) > LONGEST_VALUE:
        near = "'521'" if tag == "scope_includes.v1" else repr(str(value).strip()[:20] or "甲公司")
        raise FakeSetupError(f"{value!r} is no value of {tag}: a text, such as {near}.")
    return tag, value


def _answer(value: object, key: object) -> str:
    names = get_args(AnswerValue)
    if isinstance(value, bool):
        near = "yes" if value else "no"
        raise FakeSetupError(
            f"{value!r} is no answer to {key!r}: say {near!r} (of {', '.join(names)})."
        )
    return known(value, names, "answer")


def checked_elements(elements: object) -> dict[str, str]:
    """Elements of an enterprise, by which questions on groups are answered."""
    given = mapping(elements, ELEMENTS, "the elements")
    return {name: written(value, f"element {name}") for name, value in given.items()}
