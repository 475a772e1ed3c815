"""Questions as `verify` takes them, and the body that asks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias, cast

from xinqiao.errors import ConfigurationError

from .closed_lists import QuestionTag

#: A text or a band; of a group an object of texts; None where the question takes no value.
QuestionValue: TypeAlias = str | Mapping[str, str] | None
#: `{"enterprise_name.v1": "…", "is_active.v1": None}`, or tags and (tag, value) pairs in order.
QuestionsAsked: TypeAlias = (
    Mapping[QuestionTag, QuestionValue] | Iterable[QuestionTag | tuple[QuestionTag, QuestionValue]]
)


def three_elements(
    *, name: str, legal_representative: str
) -> tuple[Literal["three_elements.v1"], Mapping[str, str]]:
    """Question whether code, name and legal representative (or operator) fit: `three_elements.v1`.

    One answer, which never says which of them differs.
    """
    return "three_elements.v1", {"name": name, "legal_representative": legal_representative}


def four_elements(
    *, name: str, legal_representative: str, id_number: str
) -> tuple[Literal["four_elements.v1"], Mapping[str, str]]:
    """The three elements and that person's ID number, under that person's consent."""
    _, three = three_elements(name=name, legal_representative=legal_representative)
    return "four_elements.v1", {**three, "id_number": id_number}


def question_pairs(questions: QuestionsAsked) -> list[tuple[str, QuestionValue]]:
    """The questions as pairs of tag and value."""
    if isinstance(questions, str):
        raise ConfigurationError("Give the questions as a list or a mapping, not as one string.")
    if isinstance(questions, Mapping):
        return list(cast("Mapping[str, QuestionValue]", questions).items())
    return [(each, None) if isinstance(each, str) else each for each in questions]


def verification_body(
    uscc: str,
    purpose: str,
    asked: Iterable[tuple[str, QuestionValue]],
    *,
    bundle: str | None = None,
) -> dict[str, Any]:
    """The body of a verification, of the questions or of a bundle in their place."""
    whole: dict[str, Any] = {"enterprise": {"uscc": uscc}, "purpose": purpose}
    if bundle is not None:
        return {**whole, "bundle": bundle}
    return {
        **whole,
        "questions": [
            {"question": tag, **({} if value is None else {"value": _json_value(value)})}
            for tag, value in asked
        ],
    }


def _json_value(value: str | Mapping[str, str]) -> str | dict[str, str]:
    return dict(value) if isinstance(value, Mapping) else value
