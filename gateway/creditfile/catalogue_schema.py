"""The shape of the catalogue: what does not fit it is refused at start-up, with a sentence."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Final, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
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
"""The typed columns of the table `record` that a field may fill."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Said = Annotated[str, StringConstraints(min_length=1)]
FieldType = Literal[
    "text",
    "free_text",
    "texts",
    "date",
    "month",
    "boolean",
    "integer",
    "decimal",
]
Months = Annotated[int, Field(ge=0, le=1200)]
WorkingDays = Annotated[int, Field(ge=1, le=250)]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Part(BaseModel):
    """A part of the catalogue: frozen, and with no member that is not foreseen."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FieldOf(Part):
    """One field of a dataset. Without a class it is never served."""

    name: Name
    zh: Said
    en: Said
    type: FieldType
    description: Said
    disclosure: DisclosureClass | None = Field(default=None, alias="class")
    personal: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    column: str | None = None
    public_when: Name | None = None
    """The boolean field beside it that makes it public."""
    negative: bool = False
    """Whether a number may be below zero."""
    future: bool = False
    """Whether a date may lie in the future. Those of validity and of an end always may."""

    @model_validator(mode="after")
    def _column_exists(self) -> Self:
        if self.column is not None and self.column not in COLUMNS:
            message = f"field {self.name}: there is no column {self.column}"
            raise ValueError(message)
        return self


class BadWhen(Part):
    """A record of a dataset that is not bad by itself is bad when `field` has one of `values`."""

    field: Name
    values: tuple[str, ...]


class DatasetOf(Part):
    """One dataset (数据目录项)."""

    code: Name
    zh: Said
    en: Said
    source: Name
    tone: Literal["good", "bad", "neutral"]
    bad_when: BadWhen | None = None
    key: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)]
    clock: Name
    purposes: tuple[Name, ...] = ()
    """For which purposes only; none named: for each."""
    fields: tuple[FieldOf, ...]

    @cached_property
    def field_of(self) -> Mapping[str, str]:
        """Which field fills a typed column, by the column."""
        return {each.column: each.name for each in self.fields if each.column is not None}

    def serves(self, purpose: str) -> bool:
        """Whether the dataset may be asked for with this purpose at all."""
        return not self.purposes or purpose in self.purposes

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        names = [field.name for field in self.fields]
        booleans = {field.name for field in self.fields if field.type == "boolean"}
        needed = {*self.key, *([self.bad_when.field] if self.bad_when else [])}
        conditions = {field.public_when for field in self.fields if field.public_when}
        problems = (
            (len(names) != len(set(names)), "a field's name stands twice"),
            (not needed <= set(names), f"no such field: {sorted(needed - set(names))}"),
            (not conditions <= booleans, f"no boolean field: {sorted(conditions - booleans)}"),
        )
        for wrong, sentence in problems:
            if wrong:
                message = f"dataset {self.code}: {sentence}"
                raise ValueError(message)
        return self


class Subject(Part):
    """What a field may be about, and the words by which it is known."""

    subject: Name
    words: tuple[str, ...]

    def is_spoken_of_in(self, field: FieldOf) -> bool:
        """Whether the field's names hold one of the words: in English whole words only."""
        english = set(re.split(r"[^a-z0-9]+", f"{field.name} {field.en}".lower()))
        return any(
            word in english or field.name == word if word.isascii() else word in field.zh
            for word in self.words
        )


class Publicity(Part):
    """How long a penalty is shown. Market regulation's rule, and the national one by severity."""

    class Short(Part):
        """What shortens publicity: only kinds of this sort, or a low fine."""

        kinds: tuple[str, ...]
        fine_at_most: Decimal
        months: Months

    never_shown: tuple[str, ...]
    short: Short
    harmless_beside_a_fine: tuple[str, ...]
    months: Months
    bans: tuple[str, ...]
    months_by_severity: dict[str, Months]


class Exempt(Part):
    """Which penalties are never counted as bad information (R1)."""

    procedures: tuple[str, ...]
    under_appeal: tuple[str, ...]
    no_appeal_any_more: tuple[str, ...]
    appeal_days: Annotated[int, Field(ge=0, le=3660)]


class ClockRules(Part):
    """What ends the telling of a record, beside repair and withdrawal, which always do."""

    until_removed: bool = False
    retention_months: Months | None = None
    publicity: Publicity | None = None
    exempt: Exempt | None = None


class ObjectionRules(Part):
    """How long who has, in working days: the source, the enterprise, the reviewer."""

    datasets: tuple[Name, ...] = ()
    """To which datasets the rules apply; none named: to all that no other rules name."""
    decide: WorkingDays
    """The source's time to decide, from receipt."""
    at_most: WorkingDays
    """The same, with the one extension."""
    ask_for_review: WorkingDays
    """The enterprise's time to ask for a review, from the decision."""
    review: WorkingDays
    """The reviewer's time; and the source's to correct, once a review has ordered it to."""
    again: WorkingDays
    """For how long the same version of a record cannot be objected to again."""

    @model_validator(mode="after")
    def _extension_prolongs(self) -> Self:
        if self.at_most < self.decide:
            message = "objections: at_most is less than decide"
            raise ValueError(message)
        return self


class ObjectionKinds(Part):
    """Objections, and the appeal that errors of ratings have of their own (R15)."""

    objection: ObjectionRules
    rating_appeal: ObjectionRules
