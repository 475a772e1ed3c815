"""Asked questions, checked against the published catalogue, and their normal forms.

No sentence or value made here depends on any enterprise.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from verification.catalogue import CATALOGUE_VERSION, QUESTIONS
from verification.names_v2 import strict_name_v2
from verification.normalise import (
    DOCUMENT_NUMBERS,
    INDUSTRY_GROUPS,
    normalise_address,
    normalise_document_number,
    normalise_id_number,
    normalise_industry_group,
    strict_name,
)
from verification.question import Elements, Question, Value

LONGEST_VALUE: Final = 200
"""Characters of an asserted value as it was sent."""

_BY_TAG: Final = {each.tag: each for each in QUESTIONS}
_COUNTED: Final = {each.budget: each for each in QUESTIONS}
"""The latest question of each budget, in whose form values are counted."""
_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "names.v1": strict_name,
    "names.v2": strict_name_v2,
    "addresses.v1": normalise_address,
    "id_numbers.v1": normalise_id_number,
    DOCUMENT_NUMBERS: normalise_document_number,
    INDUSTRY_GROUPS: normalise_industry_group,
}
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
"""U+0000, and halves of surrogate pairs."""
_WANTED: Final = {INDUSTRY_GROUPS: "is a group of GB/T 4754: three digits, such as 521"}
"""What a value is that has no normal form; by default one that is not blank."""


class Asked(NamedTuple):
    """A question as asked: its tag, and the asserted value or chosen band if it takes one.

    A tuple: it is looked up in sets a dozen times a call, and a data class is hashed in Python.
    """

    tag: str
    value: Value | None = None


def elements_of(members: Mapping[str, str]) -> Elements:
    """The members of a group's value in their one order, whatever order they were sent in."""
    return tuple(sorted(members.items()))


def find_question(tag: str) -> Question | None:
    """The question of this tag, if the catalogue has it."""
    return _BY_TAG.get(tag)


def problem_with(asked: Asked) -> str | None:
    """A sentence on why this cannot be asked, without what was sent; `None` if it can."""
    found = find_question(asked.tag)
    if found is None:
        return "There is no such question in the catalogue; see GET /v1/questions."
    if asked.value is None:
        return None if found.offers(None) else f"{found.tag} needs a value."
    return _problem_with_value(found, asked.value)


def asserted_form(asked: Asked) -> str | None:
    """The asserted value in the form that probe budgets count; `None` where none is asserted.

    Spellings of one value have one form, so a repeat in other brackets is a repeat. Questions that
    share a budget use the latest one's form; that of a group is a JSON object of its members' forms.
    """
    found = find_question(asked.tag)
    if found is None or asked.value is None:
        return None
    if isinstance(asked.value, str):
        return normal_form(_COUNTED[found.budget], asked.value)
    forms = {each.tag: asserted_form(each) for each in asked_elements(asked)}
    return json.dumps(forms, ensure_ascii=False, sort_keys=True)


def budget_charges(asked: Asked) -> tuple[tuple[str, str], ...]:
    """The probe budgets in which an asserted value counts, each with the value's form in it.

    A group counts in its own budget as one value, and each element in its own question's.
    """
    found, form = find_question(asked.tag), asserted_form(asked)
    if found is None or form is None:
        return ()
    counted = ((found.budget, form),)
    return counted + tuple(c for each in asked_elements(asked) for c in budget_charges(each))


def budgets_of(found: Question) -> tuple[str, ...]:
    """The probe budgets in which a value of this question counts."""
    return (found.budget, *(_BY_TAG[each.question].budget for each in found.elements))


def asked_elements(asked: Asked) -> tuple[Asked, ...]:
    """The elements of an asserted group, each as its own question; none for another question."""
    value = asked.value
    if value is None or isinstance(value, str):
        return ()
    found = find_question(asked.tag)
    if found is None or not found.offers(value):
        return ()
    texts = dict(value)
    return tuple(Asked(tag=each.question, value=texts[each.name]) for each in found.elements)


def normal_form(found: Question, value: str) -> str:
    """The value in the form that this question compares."""
    return value if found.normalisation is None else _FORMS[found.normalisation](value)


def as_document() -> dict[str, Any]:
    """The catalogue as served at `GET /v1/questions`."""
    return {
        "catalogue_version": CATALOGUE_VERSION,
        "questions": [_as_member(each) for each in QUESTIONS],
    }


def _problem_with_value(found: Question, value: Value) -> str | None:
    match found.value:
        case "none":
            return f"{found.tag} takes no value."
        case "one_of":
            one_of = ", ".join(found.values)
            return None if found.offers(value) else f"{found.tag} takes one of: {one_of}."
        case "text" if isinstance(value, str):
            return _problem_with_text(found, found.tag, value)
        case "elements" if found.offers(value):
            return _problem_with_elements(found, value)
        case "elements":
            members = ", ".join(each.name for each in found.elements)
            return f"{found.tag} takes an object of texts: {members}."
        case _:
            return f"{found.tag} takes a text."


def _problem_with_elements(found: Question, value: Value) -> str | None:
    asserted = asked_elements(Asked(tag=found.tag, value=value))
    problems = (
        _problem_with_text(_BY_TAG[each.question], f"{found.tag}, {each.name},", f"{one.value}")
        for each, one in zip(found.elements, asserted, strict=True)
    )
    return next((problem for problem in problems if problem), None)


def _problem_with_text(found: Question, label: str, value: str) -> str | None:
    if len(value) > LONGEST_VALUE:
        return f"The value of {label} is longer than {LONGEST_VALUE} characters."
    if _NO_TEXT.search(value):
        return f"The value of {label} is not well-formed text."
    wanted = _WANTED.get(found.normalisation or "", "is not blank")
    return None if normal_form(found, value) else f"{label} needs a value that {wanted}."


def _as_member(each: Question) -> dict[str, object]:
    value: dict[str, object] = {"type": each.value}
    if each.value != "none":
        value["required"] = not each.optional
        value["needs_consent"] = each.needs_consent or each.value_needs_consent
    if each.value == "one_of":
        value["one_of"] = list(each.values)
    if each.value in {"text", "elements"}:
        value["max_length"] = LONGEST_VALUE
    if each.value == "elements":
        value["members"] = [element.name for element in each.elements]
    return {
        "question": each.tag,
        "title": {"zh": each.title_zh, "en": each.title_en},
        "meaning": {"zh": each.meaning_zh, "en": each.meaning_en},
        "kind": each.kind.value,
        "value": value,
        "disclosure_class": each.disclosure_class,
        "needs_consent": each.needs_consent,
        **({"separate_consent": each.separate_consent} if each.separate_consent else {}),
        "datasets": list(each.datasets),
        "normalisation": each.normalisation,
        "loose": each.loose,
        "budgeted": each.budgeted,
        **({"shares_budget_with": shared} if (shared := _other_budgets(each)) else {}),
    }


def _other_budgets(each: Question) -> list[str]:
    """The tags of other questions in whose budgets a value of this one counts."""
    own = [each.earlier] if each.earlier is not None else []
    return own + [element.question for element in each.elements]
