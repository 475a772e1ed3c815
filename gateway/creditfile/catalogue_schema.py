"""Schema of the data catalogue (pydantic): datasets, fields, clock rules, objection rules."""

import re
from collections.abc import Mapping
from datetime import date
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
"""Typed columns of the table `record` that a field may fill."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
NonEmptyText = Annotated[str, StringConstraints(min_length=1)]
FieldType = Literal["text", "free_text", "texts", "date", "month", "boolean", "integer", "decimal"]
Months = Annotated[int, Field(ge=0, le=1200)]
WorkingDays = Annotated[int, Field(ge=1, le=250)]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class CataloguePart(BaseModel):
    """Base model of the catalogue: frozen, unknown members refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


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
    column: str | None = None
    public_when: Name | None = None
    """Boolean field of the same record that makes this field public."""
    negative: bool = False
    """True if a number may be negative."""
    future: bool = False
    """True if a date may lie in the future. Dates of validity and of an end always may."""

    @model_validator(mode="after")
    def _column_exists(self) -> Self:
        if self.column is not None and self.column not in COLUMNS:
            raise ValueError(f"field {self.name}: there is no column {self.column}")
        return self


class BadWhen(CataloguePart):
    """Condition that makes a record of a neutral dataset bad: `field` has one of `values`."""

    field: Name
    values: tuple[str, ...]


class DatasetDefinition(CataloguePart):
    """One dataset (数据目录项)."""

    code: Name
    zh: NonEmptyText
    en: NonEmptyText
    source: Name
    tone: Literal["good", "bad", "neutral"]
    bad_when: BadWhen | None = None
    key: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)]
    clock: Name
    purposes: tuple[Name, ...] = ()
    """Purposes the dataset is limited to; empty: all."""
    fields: tuple[FieldDefinition, ...]

    @cached_property
    def field_of(self) -> Mapping[str, str]:
        """Field name by the typed column it fills."""
        return {each.column: each.name for each in self.fields if each.column is not None}

    @property
    def is_ever_bad(self) -> bool:
        """True if its records are bad information, or may be."""
        return self.tone == "bad" or self.bad_when is not None

    def serves(self, purpose: str) -> bool:
        """True if the dataset may be queried for this purpose."""
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
                raise ValueError(f"dataset {self.code}: {sentence}")
        return self


class Subject(CataloguePart):
    """A sensitive subject, and the words that indicate it."""

    subject: Name
    words: tuple[str, ...]

    def is_mentioned_in(self, field: FieldDefinition) -> bool:
        """True if a field's names contain one of the words; English ones as whole words."""
        english = set(re.split(r"[^a-z0-9]+", f"{field.name} {field.en}".lower()))
        return any(
            word in english or field.name == word if word.isascii() else word in field.zh
            for word in self.words
        )


class Publicity(CataloguePart):
    """Publicity terms of penalties by their kinds and fines (市场监管总局令第45号)."""

    class Short(CataloguePart):
        """Short publicity: for these kinds only, or a low fine."""

        kinds: tuple[str, ...]
        fine_at_most: Decimal
        """In 万元."""
        months: Months

    never_shown: tuple[str, ...]
    short: Short
    harmless_beside_a_fine: tuple[str, ...]
    months: Months
    bans: tuple[str, ...] = ()
    """Kinds that prolong publicity until they end."""
    months_by_severity: dict[str, Months] = Field(default_factory=dict)


class MinorPenalty(CataloguePart):
    """Penalties that are minor where the authority gives no severity, and when they are published."""

    severity: NonEmptyText
    procedures: tuple[str, ...]
    """Procedures that make any penalty minor."""
    kinds: tuple[str, ...]
    """Kinds of which alone a minor penalty may consist, beside a small fine."""
    fine: NonEmptyText
    """The kind that is a fine."""
    fine_at_most: Decimal
    """Small fine of an organisation, in 万元."""
    person_fine_at_most: Decimal
    """Small fine of an individual business, in 万元."""
    published_if: Name
    """Boolean field: the authority has decided to publish it."""
    published_under: tuple[str, ...]
    """Procedures under which it may decide so."""


class SeriousPenalty(CataloguePart):
    """Penalties that are serious where the authority gives no severity."""

    severity: NonEmptyText
    kinds: tuple[str, ...]
    fine_from: Decimal | None = None
    """Huge fine, in 万元; by default only the authority says what is huge."""


class PublicityBySeverity(CataloguePart):
    """Publicity terms of penalties by severity (国家发展改革委令第36号).

    `publicity` then applies beside it, to decisions before `in_force`: the earlier end counts.
    """

    law: NonEmptyText
    in_force: date
    months: dict[str, Months]
    """The longest publicity, from the day of determination, by severity."""
    minor: MinorPenalty
    ordinary: NonEmptyText
    """Severity of every other penalty."""
    serious: SeriousPenalty
    unfulfilled_continue: tuple[str, ...] = ()
    """USCCs of authorities whose penalties stay public until the duty is fulfilled."""

    @model_validator(mode="after")
    def _has_every_term(self) -> Self:
        named = {self.minor.severity, self.ordinary, self.serious.severity}
        if missing := named - set(self.months):
            message = f"publicity_by_severity: no months for {min(missing)}"
            raise ValueError(message)
        return self


class Exempt(CataloguePart):
    """Penalties that do not count as bad information (R1)."""

    procedures: tuple[str, ...]
    under_appeal: tuple[str, ...]
    no_appeal_any_more: tuple[str, ...] = ()
    appeal_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    """Days from the decision in which an unstated appeal is assumed; by default none is."""


class Term(CataloguePart):
    """A fixed term after which disclosure ends."""

    law: NonEmptyText
    starts: Annotated[
        tuple[Literal["determined_on", "decided_on", "published_on", "valid_from", "period"], ...],
        Field(min_length=1),
    ]
    """Typed columns, the first that is given; a `period` starts the term with its last day."""
    months: Months
    extension: Name | None = None
    """Integer field: years by which the term is longer, at most `extension_at_most`."""
    extension_at_most: Annotated[int, Field(ge=0, le=100)] = 0
    only_bad: bool = False
    """Applies to bad information only."""


class ClockRules(CataloguePart):
    """Rules that end the disclosure of a record, beside repair and withdrawal."""

    until_removed: bool = False
    """A listing: retention does not end it."""
    term: Term | None = None
    until_valid_to: bool = False
    latest_of: tuple[Name, ...] | None = None
    """Only the latest record is disclosed of those equal in these fields."""
    retention_months: Months | None = None
    publicity: Publicity | None = None
    publicity_by_severity: PublicityBySeverity | None = None
    exempt: Exempt | None = None

    @property
    def has_publicity(self) -> bool:
        """True if an end of publicity is computed (R2)."""
        return bool(self.publicity or self.publicity_by_severity)


class ObjectionRules(CataloguePart):
    """Deadlines of objections in working days."""

    datasets: tuple[Name, ...] = ()
    """Datasets the rules apply to; empty: all others."""
    decide: WorkingDays
    """Source's deadline to decide, from receipt."""
    at_most: WorkingDays
    """Source's deadline with the one extension."""
    ask_for_review: WorkingDays
    """Enterprise's deadline to ask for a review, from the decision."""
    review: WorkingDays
    """Reviewer's deadline; also the source's to correct after a review."""
    again: WorkingDays
    """Time before the same version of a record can be objected to again."""

    @model_validator(mode="after")
    def _extension_prolongs(self) -> Self:
        if self.at_most < self.decide:
            raise ValueError("objections: at_most is less than decide")
        return self


class ObjectionKinds(CataloguePart):
    """Rules of objections, and of appeals against ratings (R15)."""

    objection: ObjectionRules
    rating_appeal: ObjectionRules
