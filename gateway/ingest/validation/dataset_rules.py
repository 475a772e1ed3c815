"""Validation rules of one dataset, compiled from the catalogue for one day."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Self

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.clock_rules import ClockRules
from gateway.creditfile.catalogue.column_names import USCC
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.delivery_forms import YuanCheck
from gateway.creditfile.field_problems import ProblemCode
from gateway.creditfile.penalty_publicity import Penalty, last_day_of_publicity
from gateway.creditfile.rating_indicators import INDICATORS, indicators_problem
from gateway.creditfile.record_mapping import TEXT_TYPES, sealed_fields
from gateway.ingest.validation.field_parsers import (
    MAX_FREE_TEXT,
    MAX_TEXT,
    FieldParser,
    empty_texts,
    field_parsers,
    time_parser,
)

MAX_KEY_LENGTH: Final = 400
"""Maximum length of a natural key: an index entry of PostgreSQL holds 2,704 bytes."""
WHOLE: Final = ".000000"
"""End of a stored decimal that is whole."""
_MOST: Final = {"text": MAX_TEXT, "free_text": MAX_FREE_TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRules:
    """Compiled rules; mappings are by field name."""

    dataset: DatasetDefinition
    today: date
    parsers: Mapping[str, FieldParser]
    """Parsers of all fields except the USCC."""
    parse_source_time: FieldParser
    plain: Mapping[str, int]
    """Maximum length of each field that takes any text."""
    empty: Mapping[str, frozenset[str]]
    """Words for an empty cell, for each of these fields that has some."""
    yuan: Mapping[str, YuanCheck]
    """Amounts in 万元 that may have been delivered in yuan."""
    key: tuple[str, ...]
    needed: tuple[str, ...]
    texts: tuple[str, ...]
    """Text fields in which personal numbers are masked (R5)."""
    key_texts: tuple[str, ...]
    """Text fields of the key, which must not contain personal numbers."""
    lists: frozenset[str]
    """Fields that are lists of texts."""
    sealed: tuple[str, ...]
    clock: ClockRules
    by_column: Mapping[str, str]
    catalogue: Catalogue
    has_indicators: bool
    """True for a rating, whose indicators are checked against its scheme."""

    @classmethod
    def of(cls, catalogue: Catalogue, dataset_code: str, *, today: date) -> Self:
        """Compile the rules for `today` (in Shanghai)."""
        dataset = catalogue.dataset(dataset_code)
        fields = [each for each in dataset.fields if each.name != USCC]
        required = (each.name for each in fields if each.required)
        sealed = sealed_fields(dataset)
        parsers = field_parsers(dataset, catalogue.deliveries, today=today)
        empty = empty_texts(catalogue.deliveries)
        texts = [each.name for each in fields if each.type in TEXT_TYPES and not each.values]
        return cls(
            dataset=dataset,
            today=today,
            parsers={each.name: parsers[each.name] for each in fields},
            parse_source_time=time_parser(today),
            plain={f.name: _MOST[f.type] for f in fields if f.type in _MOST and not f.values},
            empty={f.name: empty for f in fields if f.type in _MOST and f.has_empty_words},
            yuan={each.name: each.yuan for each in fields if each.yuan},
            key=dataset.key,
            needed=tuple(n for n in dict.fromkeys((*dataset.key, *required)) if n != USCC),
            texts=tuple(each for each in texts if each not in {*dataset.key, *sealed}),
            key_texts=tuple(each for each in texts if each in dataset.key),
            lists=frozenset(each.name for each in fields if each.type == "texts"),
            sealed=sealed,
            clock=catalogue.rules_of(dataset_code),
            by_column={each.column: each.name for each in dataset.fields if each.column},
            catalogue=catalogue,
            has_indicators=INDICATORS in dataset.field_by_name,
        )

    def indicators_problem(self, fields: Mapping[str, Any]) -> ProblemCode | None:
        """Why a rating's indicators do not fit its scheme; `None` if they do."""
        return indicators_problem(self.catalogue, self.dataset.code, fields)

    def end_agrees(self, uscc: str, fields: Mapping[str, Any]) -> bool:
        """R2: True if a delivered end of publicity equals the one computed from the rules.

        It is stored as delivered; the clock recomputes the end on each read, and the earlier one
        applies.
        """
        delivered = fields.get(self.by_column.get("publicity_ends_on", ""))
        if delivered is None or not self.clock.has_publicity:
            return True
        last_day = self.last_day(uscc, fields)
        return last_day is not None and last_day.isoformat() == delivered

    def last_day(self, uscc: str, fields: Mapping[str, Any]) -> date | None:
        """Last day of publicity by the rules; `NEVER` or `None` as of `last_day_of_publicity`."""
        penalty = Penalty(
            uscc=uscc,
            decided_on=self._day(fields, "decided_on"),
            determined_on=self._day(fields, "determined_on"),
            published_on=self._day(fields, "published_on"),
            ban_until=self._day(fields, "valid_to"),
            severity=fields.get(self.by_column.get("severity", "")),
            fields=fields,
        )
        return last_day_of_publicity(penalty, self.clock)

    def looks_like_yuan(self, name: str, fields: Mapping[str, Any]) -> bool:
        """True if an amount in 万元 was probably delivered in yuan."""
        check, amount = self.yuan[name], str(fields.get(name) or "")
        texts = "".join(fields.get(each) or "" for each in check.texts)
        return looks_like_yuan(amount, texts, check.least)

    def _day(self, fields: Mapping[str, Any], column: str) -> date | None:
        value = fields.get(self.by_column.get(column, ""))
        return None if value is None else date.fromisoformat(value)


def looks_like_yuan(amount: str, texts: str, least: Decimal) -> bool:
    """True if an amount as stored is whole, and either named in yuan by `texts`, or `least` and more and
    not named in 万元 by them."""
    if not amount.endswith(WHOLE):
        return False
    figure = amount.removesuffix(WHOLE)
    if figure not in texts and "," not in texts:  # cheap, and mostly so
        return Decimal(figure) >= least
    texts = texts.replace(",", "")
    may_be_said = f"{figure}元" in texts or f"{figure}.0" in texts
    if may_be_said and re.search(rf"(?<![\d.]){figure}(?:\.0+)?元", texts):
        return figure != "0"
    return Decimal(figure) >= least and not re.search(rf"(?<!\d){figure}(?:\.0+)?万", texts)
