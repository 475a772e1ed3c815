"""Records and enterprises from rows as JSON: whole rows, and those of former versions."""

from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest

from gateway.creditfile.records import RECORD_COLUMNS, Enterprise, Record
from tests.creditfile_builders import make_enterprise, make_record

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
