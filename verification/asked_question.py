"""Asked questions, checked against the published catalogue, and their normal forms.

No sentence or value made here depends on any enterprise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from verification.catalogue import CATALOGUE_VERSION, QUESTIONS, Question
from verification.names_v2 import strict_name_v2
from verification.normalise import normalise_address, normalise_id_number, strict_name

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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as asked: its tag, and the asserted value or chosen band if it takes one."""

    tag: str
    value: str | None = None


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
    if found.value == "none":
        return f"{found.tag} takes no value."
    if found.value == "one_of":
        one_of = ", ".join(found.values)
        return None if found.offers(asked.value) else f"{found.tag} takes one of: {one_of}."
    return _problem_with_text(found, asked.value)


def asserted_form(asked: Asked) -> str | None:
    """The asserted value in the form that probe budgets count; `None` where none is asserted.

    Spellings of one value have one form, so a repeat in other brackets is a repeat. Questions that
    share a budget use the latest one's form.
    """
    found = find_question(asked.tag)
    if found is None or asked.value is None:
        return None
    return normal_form(_COUNTED[found.budget], asked.value)


def normal_form(found: Question, value: str) -> str:
    """The value in the form that this question compares."""
    return value if found.normalisation is None else _FORMS[found.normalisation](value)


def as_document() -> dict[str, Any]:
    """The catalogue as served at `GET /v1/questions`."""
    return {
        "catalogue_version": CATALOGUE_VERSION,
        "questions": [_as_member(each) for each in QUESTIONS],
    }


def _problem_with_text(found: Question, value: str) -> str | None:
    if len(value) > LONGEST_VALUE:
        return f"The value of {found.tag} is longer than {LONGEST_VALUE} characters."
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value):
        return f"The value of {found.tag} is not well-formed text."
    return None if normal_form(found, value) else f"{found.tag} needs a value that is not blank."


def _as_member(each: Question) -> dict[str, object]:
    value: dict[str, object] = {"type": each.value}
    if each.value != "none":
        value["required"] = not each.optional
        value["needs_consent"] = each.needs_consent or each.value_needs_consent
    if each.value == "one_of":
        value["one_of"] = list(each.values)
    if each.value == "text":
        value["max_length"] = LONGEST_VALUE
    return {
        "question": each.tag,
        "title": {"zh": each.title_zh, "en": each.title_en},
        "kind": each.kind.value,
        "value": value,
        "needs_consent": each.needs_consent,
        "datasets": list(each.datasets),
        "normalisation": each.normalisation,
        "loose": each.loose,
        "budgeted": each.budgeted,
        **({} if each.earlier is None else {"shares_budget_with": [each.earlier]}),
    }
