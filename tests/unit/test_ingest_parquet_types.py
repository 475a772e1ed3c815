"""Parquet files with the types that pandas and polars write."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.creditfile_builders import USCC
from tests.ingest_reader import Reader, reader_in
from tests.unit.test_ingest_national_templates import fields_of

AS_JSON: dict[str, Any] = {
    "uscc": USCC,
    "document_number": "罚1",
    "kinds": ["警告", "罚款"],
    "fine": "1.2",
    "decided_on": "2026-08-01",
    "facts": "未按规定明码标价。",
}
MIDNIGHT = datetime(2026, 8, 1)  # noqa: DTZ001  # as pandas has it
SHANGHAI = datetime(2026, 7, 31, 16, tzinfo=UTC)
"""The same midnight in Shanghai."""


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes as a file of penalties."""
    return reader_in(tmp_path)


def parquet(count: int = 3, **columns: Any) -> bytes:
    """A file of so many rows, equal but for their numbers, with other columns."""
    said = {name: pa.array([value] * count) for name, value in AS_JSON.items()} | columns
    said["document_number"] = columns.get("document_number", [f"罚{n}" for n in range(count)])
    made = io.BytesIO()
    pq.write_table(pa.table(said), made, store_schema=True)
    return made.getvalue()


@pytest.mark.parametrize(
    "columns",
    [
        {"kinds": pa.array([["警告", "罚款"]] * 3, pa.large_list(pa.large_string()))},
        {"kinds": pa.array([["警告", "罚款"]] * 3, pa.list_(pa.string(), 2))},
        {"kinds": pa.array(["警告；罚款"] * 3, pa.large_string())},
        {"facts": pa.array([AS_JSON["facts"]] * 3, pa.string_view())},
        {name: pa.array([AS_JSON[name]] * 3, pa.large_string()) for name in ("uscc", "facts", "fine")},
        {"facts": pa.array([AS_JSON["facts"]] * 3, pa.large_string()).dictionary_encode()},
        {"decided_on": pa.array([AS_JSON["decided_on"]] * 3, pa.large_string()).dictionary_encode()},
        {"decided_on": pa.array([MIDNIGHT] * 3, pa.timestamp("ns"))},
        {"decided_on": pa.array([MIDNIGHT] * 3, pa.timestamp("us"))},
        {"decided_on": pa.array([SHANGHAI] * 3, pa.timestamp("ms", tz="UTC"))},
        {"decided_on": pa.array([SHANGHAI] * 3, pa.timestamp("us", tz="Asia/Shanghai"))},
        {"decided_on": pa.array([MIDNIGHT] * 3, pa.date32())},
        {"fine": pa.array([1.2] * 3)},
        {"fine": pa.array([Decimal("1.20")] * 3, pa.decimal128(18, 2))},
        {"fine": pa.array([Decimal("1.20")] * 3, pa.decimal256(40, 6))},
        {"legal_basis": pa.nulls(3), "confiscated": pa.nulls(3), "valid_until": pa.nulls(3)},
        {"备注": pa.nulls(3), "__index_level_0__": [0, 1, 2]},
    ],
)  # fmt: skip
def test_one_fact_is_one_record_whatever_its_types(read: Reader, columns: dict[str, Any]) -> None:
    """As in a file of texts and lists."""
    plain = read(parquet(), "parquet")
    found = read(parquet(**columns), "parquet")
    assert (found.refused, found.rejects) == (None, [])
    assert len(found.lines) == 3
    assert found.lines == plain.lines


def test_nulls_are_empty_cells(read: Reader) -> None:
    """Of lists, numbers and days, where others of their column are not."""
    found = read(
        parquet(
            fine=pa.array([1.0, None, float("nan")]),
            facts=pa.array([None, "未按规定明码标价。", ""], pa.string_view()),
            valid_until=pa.array([None, MIDNIGHT, None], pa.timestamp("ns")),
        ),
        "parquet",
    )
    assert found.rejects == []
    assert [fields_of(found, row).get("fine") for row in range(3)] == ["1.000000", None, None]
    assert [fields_of(found, row).get("valid_until") for row in range(3)] == [
        None,
        "2026-08-01",
        None,
    ]
    assert ["facts" in fields_of(found, row) for row in range(3)] == [False, True, False]


@pytest.mark.parametrize(
    ("field", "column", "reason"),
    [
        ("kinds", pa.nulls(3), "missing"),
        ("kinds", pa.array([[], ["罚款"], ["罚款"]], pa.large_list(pa.string())), "missing"),
        ("kinds", pa.array([[None], ["罚款"], ["罚款"]], pa.large_list(pa.string())), "not a text"),
        ("decided_on", pa.array([MIDNIGHT.replace(hour=8), MIDNIGHT, MIDNIGHT], pa.timestamp("ns")),
         "not a date as YYYY-MM-DD"),
        ("decided_on", pa.array([SHANGHAI.replace(hour=0), SHANGHAI, SHANGHAI],
                                pa.timestamp("us", tz="UTC")), "not a date as YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_what_is_no_value_of_its_field_rejects_its_row(
    read: Reader, field: str, column: pa.Array, reason: str
) -> None:
    """Times that are no midnight in Shanghai, and nulls where a value is needed."""
    found = read(parquet(**{field: column}), "parquet")
    assert found.refused is None
    assert ("1", field, reason) in found.rejects
    assert len(found.rejects) == (3 if pa.types.is_null(column.type) else 1)


def test_a_number_that_is_none_is_not_taken_for_an_empty_cell(read: Reader) -> None:
    """Infinity is no amount."""
    found = read(parquet(fine=pa.array([float("inf"), 1.0, 1.0])), "parquet")
    assert [each[:2] for each in found.rejects] == [("1", "fine")]
