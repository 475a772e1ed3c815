"""Definition of one field of a dataset: its names, type, values and disclosure."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator

from gateway.creditfile.catalogue.delivery_forms import ANY_TEXT, YuanCheck, fold_name
from gateway.creditfile.catalogue.parts import (
    CataloguePart,
    Condition,
    Name,
    NonEmptyText,
    SeparateConsentOf,
    WhenTrue,
)
from gateway.creditfile.disclosure_class import DisclosureClass

COLUMNS: Final = (
    "decided_on",
    "determined_on",
    "published_on",
    "valid_from",
    "valid_to",
    "publicity_ends_on",
    "removed_on",
    "level",
    "severity",
    "category",
    "period",
)
"""Typed columns of the table `record` that a field may fill."""


FieldType = Literal[
    "text", "free_text", "texts", "date", "month", "boolean", "integer", "decimal", "indicators"
]
"""`indicators`: of a rating, points and reason codes by indicator of its scheme."""


class IndividualBusinessField(CataloguePart):
    """Differences of a field for individual businesses (个体工商户); they only narrow it."""

    zh: NonEmptyText | None = None
    en: NonEmptyText | None = None
    absent: bool = False
    """The field is never disclosed."""
    public_when: WhenTrue | None = None
    """The field, although public, is told with consent only unless this condition holds."""
    separate_consent: Literal["person"] | None = None
    """Separate consent that the field needs where only its operator makes it a person's."""


class FieldDefinition(CataloguePart):
    """One field of a dataset. A field without a class is never served."""

    name: Name
    zh: NonEmptyText
    en: NonEmptyText
    type: FieldType
    description: NonEmptyText
    disclosure: DisclosureClass | None = Field(default=None, alias="class")
    personal: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    values_also: Mapping[str, tuple[NonEmptyText, ...]] = {}
    """Other words for the values; one that ends with … stands for all that begin so."""
    problem_of_others: Literal["not_in_catalogue", "licence_not_in_force"] = "not_in_catalogue"
    """Code of the problem of a delivered value that is none of these."""
    also: tuple[NonEmptyText, ...] = ()
    """Other names of its column in delivered files."""
    empty_words: bool | None = None
    """True if the catalogue's words for an empty cell are one here; by default, where no free text is."""
    yuan: YuanCheck | None = None
    column: str | None = None
    public_when: WhenTrue | None = None
    """Condition on the same record that makes this field public."""
    masked: bool = False
    """A person's name that is masked in public, of whatever kind of enterprise."""
    unmasked_when: Condition | None = None
    """Condition under which the value is no person's name, and is not masked."""
    separate_consent: SeparateConsentOf | None = None
    """Giver of the separate consent that the field needs; of an individual business its operator."""
    labels_from: Literal["licensing_items"] | None = None
    """Table of the catalogue that names the field's values; a value that it lacks is its own name."""
    individual_business: IndividualBusinessField | None = None
    negative: bool = False
    """True if a number may be negative."""
    future: bool = False
    """True if a date may lie in the future. Dates of validity and of an end always may."""

    @model_validator(mode="after")
    def _column_exists(self) -> Self:
        if self.column is not None and self.column not in COLUMNS:
            raise ValueError(f"field {self.name}: there is no column {self.column}")
        return self

    @model_validator(mode="after")
    def _only_persons_are_masked(self) -> Self:
        if (self.masked or self.unmasked_when is not None) and not self.personal:
            message = f"field {self.name}: masked, and not personal"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _words_are_distinct(self) -> Self:
        for value in self.values_also:
            if value not in self.values:
                raise ValueError(f"field {self.name}: other words for {value}, no value of it")
        seen: dict[str, str] = {}
        for word, value in self._words():
            if seen.setdefault(fold_name(word), value) != value:
                raise ValueError(f"field {self.name}: {word} is a word for two values")
        return self

    def _words(self) -> Iterator[tuple[str, str]]:
        yield from ((value, value) for value in self.values)
        for value, words in self.values_also.items():
            yield from ((word, value) for word in words)

    @cached_property
    def value_of_word(self) -> Mapping[str, str]:
        """Values by their folded words; those of a beginning are apart."""
        return {fold_name(w): v for w, v in self._words() if not w.endswith(ANY_TEXT)}

    @cached_property
    def value_of_beginning(self) -> Mapping[str, str]:
        """Values by the folded beginnings of words for them."""
        found = ((w.removesuffix(ANY_TEXT), v) for w, v in self._words() if w.endswith(ANY_TEXT))
        return {fold_name(beginning): value for beginning, value in found}

    def value_of(self, word: str) -> str | None:
        """The value that a word of any spelling stands for."""
        folded = fold_name(word)
        value = self.value_of_word.get(folded)
        if value is None:
            beginnings = self.value_of_beginning.items()
            value = next((each for begun, each in beginnings if folded.startswith(begun)), None)
        return value

    @property
    def has_empty_words(self) -> bool:
        """True if the catalogue's words for an empty cell mean that a value is omitted."""
        if self.empty_words is None:
            return bool(self.values) or self.type not in {"text", "free_text"}
        return self.empty_words

    def needs_separate_consent(self, fields: Mapping[str, Any]) -> bool:
        """True if the value needs its separate consent in a record with these fields.

        It needs none where it is of no person, or published by choice.
        """
        if self.separate_consent is None:
            return False
        of_no_person = self.unmasked_when is not None and self.unmasked_when.holds(fields)
        published = self.public_when is not None and self.public_when.holds(fields)
        return not of_no_person and not (published and not self.masked)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition that the field depends on."""
        own = self.individual_business
        found = (self.public_when, self.unmasked_when, own.public_when if own else None)
        return tuple(each for each in found if each is not None)

    @cached_property
    def of_individual_business(self) -> "FieldDefinition":
        """The field as it is of an individual business."""
        own = self.individual_business or IndividualBusinessField()
        separate = "person" if own.separate_consent or self.separate_consent else None
        changed: dict[str, Any] = {
            "zh": own.zh or self.zh,
            "en": own.en or self.en,
            "separate_consent": separate,
        }
        if own.absent:
            changed |= {"disclosure": None, "public_when": None}
        elif own.public_when is not None and self.disclosure is DisclosureClass.PUBLIC:
            changed |= {
                "disclosure": DisclosureClass.AUTHORISED,
                "public_when": own.public_when,
            }
        return self.model_copy(update=changed)
