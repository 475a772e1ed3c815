"""Records and enterprises from rows as JSON: whole rows, and those of former versions."""

from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateway.creditfile.records import RECORD_COLUMNS, Enterprise, Record, newest_first
from tests.creditfile_builders import CATALOGUE, make_enterprise, make_record

ENTERPRISE = make_enterprise(
    capital=Decimal("3.150000"), established_on=date(2020, 2, 29), former_names=("旧名",)
)
RECORD = make_record(valid_to=date(2027, 1, 1), personal=b"\x00\xff")


def row_of(held: Record | Enterprise) -> dict[str, Any]:
    """The row as PostgreSQL writes it."""
    text = orjson.dumps(
        asdict(held), default=lambda v: f"\\x{v.hex()}" if type(v) is bytes else str(v)
    )
    row: dict[str, Any] = orjson.loads(text)
    return row


def test_a_whole_row_gives_what_was_stored() -> None:
    """Dates, moments, amounts, lists and ciphertext are no texts any more."""
    assert Record.from_json(row_of(RECORD)) == RECORD
    assert Enterprise.from_json(row_of(ENTERPRISE)) == ENTERPRISE


def test_columns_in_their_order_give_what_was_stored() -> None:
    """As the statements of files give them, without names."""
    row = row_of(RECORD)
    values = [row[name] for name in RECORD_COLUMNS]
    assert Record.from_columns(values) == RECORD
    with pytest.raises(ValueError, match="longer"):
        Record.from_columns([*values, 1])


def test_a_former_version_has_the_defaults_of_later_columns() -> None:
    """Stored before these columns were added."""
    row = {name: value for name, value in row_of(RECORD).items() if name != "determined_on"}
    assert Record.from_json(row) == replace(RECORD, determined_on=None)


@pytest.mark.parametrize("model", [Record, Enterprise])
def test_a_row_with_another_column_is_refused(model: type[Record | Enterprise]) -> None:
    """The code would leave out what it does not know."""
    row = row_of(RECORD if model is Record else ENTERPRISE)
    with pytest.raises(TypeError):
        model.from_json(row | {"another": 1})
    with pytest.raises((TypeError, KeyError)):
        model.from_json({name: value for name, value in row.items() if name != "uscc"})
    with pytest.raises((TypeError, KeyError)):
        model.from_json({n: v for n, v in row.items() if n != "uscc"} | {"another": 1})


def test_what_was_made_from_a_row_cannot_be_changed() -> None:
    """As one that was constructed."""
    with pytest.raises(AttributeError):
        Record.from_json(row_of(RECORD)).version = 2  # type: ignore[misc]


DAYS = {"decided_on": ("2026-09-30", "2025-12-31"), "period": ("2026-09", "2025-12")}


@pytest.mark.parametrize(
    ("code", "column"),
    [(of.code, name) for of in CATALOGUE.datasets for name in DAYS if name in of.field_of],
)
def test_records_are_ordered_by_their_day_or_period_the_newest_first(
    code: str, column: str
) -> None:
    """In every dataset that has one; what has neither comes last."""
    nothing = replace(RECORD, dataset=code, decided_on=None, period=None)
    newer, older = (
        replace(nothing, **changed(column, day), record_id=each)
        for day, each in zip(DAYS[column], ("rec_2", "rec_1"), strict=True)
    )
    undated = replace(nothing, record_id="rec_0")
    assert sorted([undated, older, newer], key=newest_first) == [newer, older, undated]


def test_a_year_or_a_month_stands_for_its_last_day_and_another_text_for_none() -> None:
    """As the clocks of records count from it."""
    days = [
        replace(RECORD, decided_on=None, period=each).day for each in ("2024", "2024-02", "上半年")
    ]
    assert days == [date(2024, 12, 31), date(2024, 2, 29), None]


def test_records_of_one_month_are_ordered_by_their_keys() -> None:
    """Each month in the same way, not by random ids; of numbers 2 comes before 10."""
    held = [
        make_record("tax_and_social", kind=kind, period=month, record_id=each)
        for kind, month, each in (
            ("tax", "2026-09", "rec_1"),
            ("social_insurance", "2026-10", "rec_4"),
            ("tax", "2026-10", "rec_2"),
            ("social_insurance", "2026-09", "rec_3"),
        )
    ]
    told = [(each.period, each.category) for each in sorted(held, key=newest_first)]
    assert told == [
        (month, kind) for month in ("2026-10", "2026-09") for kind in ("tax", "social_insurance")
    ]
    numbered = [replace(RECORD, natural_key=each) for each in ("10", "2", "1")]
    assert [each.natural_key for each in sorted(numbered, key=newest_first)] == ["1", "2", "10"]


def changed(column: str, day: str) -> dict[str, Any]:
    """A typed column with its value."""
    return {column: day if column == "period" else date.fromisoformat(day)}
