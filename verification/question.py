"""A question of the catalogue: what it asks, the value it takes, what it rests on, what it needs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

Elements = tuple[tuple[str, str], ...]
"""The values of a group, as pairs of member and text in the order of their names."""
Value = str | Elements
ID_NUMBER: Final = "legal_representative_id.v1"


class QuestionKind(StrEnum):
    """Kinds of question: a match of an asserted value, a public state, or a fixed band."""

    MATCH = "match"
    STATE = "state"
    BAND = "band"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One member of a group's value, with the question by whose rules it is compared and counted."""

    name: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the catalogue.

    `value` is what a caller asserts: a `text`, `one_of` the `values`, the `elements` of a group, or
    `none`; an `optional` value may be left out. With `value_needs_consent` the question is public
    without a value, and needs consent with one. `datasets` are those that the answer rests on. `loose`
    allows the loose form of a name after the strict one. `earlier` is the tag of an earlier question
    on the same attribute: they share one probe budget, and a consent to the earlier one covers this
    one. A `personal` question is on a person; `separate_consent` says whose separate consent (PIPL) it
    needs beside the consent. `meaning_zh` and `meaning_en` say what a yes and a no mean, and what is
    left out.
    """

    tag: str
    title_zh: str
    title_en: str
    meaning_zh: str
    meaning_en: str
    kind: QuestionKind
    datasets: tuple[str, ...]
    value: Literal["text", "one_of", "elements", "none"] = "none"
    values: tuple[str, ...] = ()
    elements: tuple[Element, ...] = ()
    optional: bool = False
    needs_consent: bool = False
    value_needs_consent: bool = False
    normalisation: str | None = None
    loose: bool = False
    earlier: str | None = None
    personal: bool = False
    separate_consent: Literal["enterprise", "person"] | None = None

    def __post_init__(self) -> None:
        """Refuse a question on a person that needs consent and does not say whose separate one."""
        if (self.personal and self.needs_consent) != (self.separate_consent is not None):
            message = (
                f"{self.tag}: personal and under consent goes with whose separate consent it needs"
            )
            raise ValueError(message)
        if ID_NUMBER in {each.question for each in self.elements} and not self.separate_consent:
            message = f"{self.tag}: an element on a person's ID, and no separate consent"
            raise ValueError(message)

    @property
    def budget(self) -> str:
        """The tag under which distinct asserted values are counted."""
        return self.earlier or self.tag

    @property
    def consented_by(self) -> tuple[str, ...]:
        """The tags of which a consent must name one."""
        return (self.tag,) if self.earlier is None else (self.tag, self.earlier)

    @property
    def disclosure_class(self) -> Literal["public", "authorised"]:
        """The disclosure class of what it tells, asked as it needs least."""
        return "authorised" if self.needs_consent else "public"

    @property
    def budgeted(self) -> bool:
        """True where distinct asserted values count against the probe budget."""
        return self.value != "none"

    def needs_consent_for(self, value: Value | None) -> bool:
        """True where the question needs consent when asked with this value."""
        return self.needs_consent or (value is not None and self.value_needs_consent)

    def offers(self, value: Value | None) -> bool:
        """True where the question takes this value; any text fits a text question."""
        if value is None:
            return self.value == "none" or self.optional
        if not isinstance(value, str):
            names = tuple(sorted(each.name for each in self.elements))
            return bool(names) and tuple(name for name, _ in value) == names
        return self.value == "text" or value in self.values


NAME_ELEMENT: Final = Element(name="name", question="enterprise_name.v2")
REPRESENTATIVE_ELEMENT: Final = Element(
    name="legal_representative", question="legal_representative_name.v2"
)
ID_NUMBER_ELEMENT: Final = Element(name="id_number", question=ID_NUMBER)
