"""Schema of the data catalogue (pydantic): datasets, their fields, sensitive subjects."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from gateway.creditfile.catalogue.delivery_forms import ANY_TEXT, YuanCheck, fold_name
from gateway.creditfile.catalogue.parts import (
    CataloguePart,
    Condition,
    Name,
    Names,
    NonEmptyText,
    SeparateConsentOf,
    WhenTrue,
)
from gateway.creditfile.disclosure_class import DisclosureClass
from gateway.creditfile.records import INDIVIDUAL_BUSINESS

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

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")

FieldType = Literal[
    "text", "free_text", "texts", "date", "month", "boolean", "integer", "decimal", "indicators"
]
"""`indicators`: of a rating, points and reason codes by indicator of its scheme."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


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


class LicensingItem(Names):
    """One item of the list of licensing items (行政许可事项)."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class TradeLicences(CataloguePart):
    """Licensing items that a trade needs by law, by the beginnings of its GB/T 4754-2017 codes."""

    industries: tuple[Annotated[str, StringConstraints(pattern=r"^[A-T]\d{2,4}$")], ...]
    items: tuple[NonEmptyText, ...]
    law: NonEmptyText


PagePart = Literal["warning", "other", "folded"]
"""Parts of the public page: warnings, other records, and what is folded below them (年报, 登记备案)."""
PAGE_PARTS: Final[tuple[PagePart, ...]] = get_args(PagePart)


class LicensingItems(CataloguePart):
    """The list of licensing items that `licence.item_code` is chosen from."""

    source: NonEmptyText
    version: NonEmptyText
    items: tuple[LicensingItem, ...]
    trades: tuple[TradeLicences, ...] = ()

    def needed_for(self, industry: str) -> tuple[LicensingItem, ...]:
        """The items that an enterprise of this GB/T 4754 code needs."""
        codes = [
            code
            for each in self.trades
            if industry.startswith(each.industries)
            for code in each.items
        ]
        return tuple(self.by_code[code] for code in dict.fromkeys(codes))

    @model_validator(mode="after")
    def _trades_name_items(self) -> Self:
        unknown = {code for each in self.trades for code in each.items} - set(self.by_code)
        if unknown:
            raise ValueError(f"licensing_items: a trade needs {min(unknown)}, no item of the list")
        return self

    @cached_property
    def by_code(self) -> Mapping[str, LicensingItem]:
        """Items by code."""
        return {each.code: each for each in self.items}


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
