"""Definition of one dataset (数据目录项): names, key, clock, purposes, fields, part of the public page."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from gateway.creditfile.catalogue.field_definition import FieldDefinition
from gateway.creditfile.catalogue.parts import (
    CataloguePart,
    Condition,
    Name,
    Names,
    NonEmptyText,
)
from gateway.creditfile.records import INDIVIDUAL_BUSINESS

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


PagePart = Literal["warning", "other", "folded"]
"""Parts of the public page: warnings, other records, and what is folded below them (年报, 登记备案)."""
PAGE_PARTS: Final[tuple[PagePart, ...]] = get_args(PagePart)


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class RecordSentence(CataloguePart):
    """Plain sentence of a record on the public page, in parts; one whose fields are empty is left out."""

    zh: tuple[NonEmptyText, ...]
    en: tuple[NonEmptyText, ...]

    @cached_property
    def fields(self) -> frozenset[str]:
        """Names of the fields in its parts, as `{name}`."""
        return frozenset(_PLACEHOLDER.findall("".join((*self.zh, *self.en))))


class ListingNames(Names):
    """Names of a dataset, and what its page says was not found."""

    none_found: Names | None = None
    """Text after 截至…未查询到, and after “As of …,”."""
    sentence: RecordSentence | None = None


class DatasetDefinition(CataloguePart):
    """One dataset (数据目录项)."""

    code: Name
    zh: NonEmptyText
    en: NonEmptyText
    source: Name
    tone: Literal["good", "bad", "neutral"]
    bad_when: Condition | None = None
    key: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)]
    clock: Name
    purposes: tuple[Name, ...] = ()
    """Purposes the dataset is limited to; empty: all."""
    headline: tuple[Name, ...] = ()
    """Fields on the first line of a record; empty: the key's."""
    public_page: PagePart | None = None
    """Part of the public page; by default what may be bad warns, what is good is another, and
    the rest is folded, and named only if something is found."""
    only_in_force: bool = False
    """The public page leaves out what is no longer valid."""
    none_found: Names | None = None
    """The public page's words for an empty result, where the usual ones do not fit."""
    sentence: RecordSentence | None = None
    """The public page's sentence about a record; by default its headline."""
    gravity: Annotated[int, Field(ge=1, le=99)] = 99
    """Place of its bad records among the public page's warnings; the gravest have 1."""
    individual_business: ListingNames | None = None
    """The names that it has of an individual business."""
    ignored: tuple[NonEmptyText, ...] = ()
    """Columns of delivered files that are known and not kept, beside those of every dataset."""
    fields: tuple[FieldDefinition, ...]

    @cached_property
    def field_of(self) -> Mapping[str, str]:
        """Field name by the typed column it fills."""
        return {each.column: each.name for each in self.fields if each.column is not None}

    @property
    def is_ever_bad(self) -> bool:
        """True if its records are bad information, or may be."""
        return self.tone == "bad" or self.bad_when is not None

    def is_bad(self, fields: Mapping[str, Any]) -> bool:
        """True if a record with these fields is bad information, by its dataset or a field's value."""
        return self.tone == "bad" or (self.bad_when is not None and self.bad_when.holds(fields))

    @cached_property
    def field_by_name(self) -> Mapping[str, FieldDefinition]:
        """Fields by name."""
        return {each.name: each for each in self.fields}

    @cached_property
    def page_part(self) -> PagePart:
        """Part of the public page that has what is public of it."""
        if self.public_page is not None:
            return self.public_page
        if self.tone == "good":
            return "other"
        return "warning" if self.is_ever_bad else "folded"

    @cached_property
    def names(self) -> Names:
        """Names of the dataset."""
        return Names(zh=self.zh, en=self.en)

    def names_for(self, kind: str) -> Names:
        """Names of the dataset, by the enterprise's kind."""
        own = self.individual_business if kind == INDIVIDUAL_BUSINESS else None
        return own or self.names

    def none_found_for(self, kind: str) -> Names | None:
        """Words for an empty result, where the usual ones do not fit."""
        own = self.individual_business if kind == INDIVIDUAL_BUSINESS else None
        return own.none_found if own and own.none_found else self.none_found

    def sentence_for(self, kind: str) -> RecordSentence | None:
        """The public page's sentence about a record, by the enterprise's kind."""
        own = self.individual_business if kind == INDIVIDUAL_BUSINESS else None
        return own.sentence if own and own.sentence else self.sentence

    def serves(self, purpose: str) -> bool:
        """True if the dataset may be queried for this purpose."""
        return not self.purposes or purpose in self.purposes

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        names = [field.name for field in self.fields]
        needed = {*self.key, *self.headline, *([self.bad_when.field] if self.bad_when else [])}
        for own in (self.sentence, self.sentence_for(INDIVIDUAL_BUSINESS)):
            needed |= own.fields if own else frozenset()
        unmet = {
            condition.field
            for field in self.fields
            for condition in field.conditions
            if not self.can_hold(condition)
        }
        beside = {name for field in self.fields if field.yuan for name in field.yuan.texts}
        problems = (
            (not beside <= set(names), f"no such field: {sorted(beside - set(names))}"),
            (len(names) != len(set(names)), "a field's name stands twice"),
            (not needed <= set(names), f"no such field: {sorted(needed - set(names))}"),
            (bool(unmet), f"a condition is no value of {sorted(unmet)}"),
        )
        for wrong, sentence in problems:
            if wrong:
                raise ValueError(f"dataset {self.code}: {sentence}")
        return self

    def can_hold(self, condition: Condition) -> bool:
        """True if the condition asks for values that its field can have."""
        field = self.field_by_name.get(condition.field)
        if field is None:
            return False
        if field.type == "boolean":
            return set(map(type, condition.values)) <= {bool}
        return set(condition.values) <= set(field.values)
