"""Questions on groups of elements, as pairs of tag and value for `verify`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

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
    """Whether code, name and legal representative (or operator) belong together: `three_elements.v1`.

    One answer, which never says which of them differs.
    """
    return "three_elements.v1", {"name": name, "legal_representative": legal_representative}


def four_elements(
    *, name: str, legal_representative: str, id_number: str
) -> tuple[Literal["four_elements.v1"], Mapping[str, str]]:
    """The three elements and that person's ID number, under that person's consent."""
    _, three = three_elements(name=name, legal_representative=legal_representative)
    return "four_elements.v1", {**three, "id_number": id_number}
