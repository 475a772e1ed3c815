"""What the catalogue expects of a dataset's rows, compiled once for a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Self

from gateway.creditfile import clock
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_schema import DatasetOf, Publicity
from gateway.creditfile.record_mapping import TEXTS, sealed_fields
from gateway.ingest.field_parsers import (
    MOST_FREE_TEXT,
    MOST_TEXT,
    FieldParser,
    reader_of_time,
    readers_of,
)

USCC: Final = "uscc"
KEY: Final = "key"
SOURCE_TIME: Final = "source_time"
MEMBERS: Final = (USCC, KEY, SOURCE_TIME)
"""What a row may have beside the fields of its dataset."""
MOST_KEY: Final = 400
"""Characters of a natural key: an index entry of PostgreSQL holds 2,704 bytes."""
_MOST: Final = {"text": MOST_TEXT, "free_text": MOST_FREE_TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRules:
    """By the names of fields."""

    dataset: DatasetOf
    today: date
    readers: Mapping[str, FieldParser]
    """Of every field but the USCC."""
    read_time: FieldParser
    plain: Mapping[str, int]
    """The fields that take any text, and of how many characters."""
    key: tuple[str, ...]
    needed: tuple[str, ...]
    texts: tuple[str, ...]
    """Texts, and lists of texts, in which personal numbers are masked (R5)."""
    key_texts: tuple[str, ...]
    """Those of the key, in which there must be none."""
    lists: frozenset[str]
    """Those that are lists of texts."""
    sealed: tuple[str, ...]
    publicity: Publicity | None
    by_column: Mapping[str, str]

    @classmethod
    def of(cls, catalogue: Catalogue, dataset_code: str, *, today: date) -> Self:
        """What holds on this day (in Shanghai)."""
        dataset = catalogue.dataset(dataset_code)
        fields = [each for each in dataset.fields if each.name != USCC]
        required = (each.name for each in fields if each.required)
        sealed = sealed_fields(dataset)
        readers = readers_of(dataset, today=today)
        texts = [each.name for each in fields if each.type in TEXTS and not each.values]
        return cls(
            dataset=dataset,
            today=today,
            readers={each.name: readers[each.name] for each in fields},
            read_time=reader_of_time(today),
            plain={f.name: _MOST[f.type] for f in fields if f.type in _MOST and not f.values},
            key=dataset.key,
            needed=tuple(n for n in dict.fromkeys((*dataset.key, *required)) if n != USCC),
            texts=tuple(each for each in texts if each not in {*dataset.key, *sealed}),
            key_texts=tuple(each for each in texts if each in dataset.key),
            lists=frozenset(each.name for each in fields if each.type == "texts"),
            sealed=sealed,
            publicity=catalogue.rules_of(dataset_code).publicity,
            by_column={each.column: each.name for each in dataset.fields if each.column},
        )

    def end_agrees(self, fields: Mapping[str, Any]) -> bool:
        """R2: the delivered end of publicity, where there is one, is the one that the rules give.

        It is kept as delivered and told no longer than the rules allow: the clock computes the
        end anew each time, and the earlier one counts.
        """
        if self.publicity is None:
            return True
        columns = self.by_column
        delivered = fields.get(columns.get("publicity_ends_on", ""))
        begun = fields.get(columns.get("published_on", "")) or fields.get(
            columns.get("decided_on", ""),
        )
        if delivered is None or begun is None:
            return True
        ban = fields.get(columns.get("valid_to", ""))
        last_day = clock.penalty_publicity_end(
            published_on=date.fromisoformat(begun),
            kinds=fields.get("kinds", ()),
            fine=Decimal(fields["fine"]) if "fine" in fields else None,
            severity=fields.get(columns.get("severity", "")),
            ban_until=None if ban is None else date.fromisoformat(ban),
            rules=self.publicity,
        )
        return last_day is not None and last_day.isoformat() == delivered
