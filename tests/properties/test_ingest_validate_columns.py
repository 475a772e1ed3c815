"""Column-wise validation equals row-wise validation: lines, problems and warnings."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ingest.merge.copy_batch import CopyBatch
from gateway.ingest.merge.copy_encoding import row_encoder
from gateway.ingest.merge.staging_table import staging_table_of
from gateway.ingest.results import Source
from gateway.ingest.rows import columns_of_rows
from gateway.ingest.validation.validate_columns import ColumnValidator
from gateway.ingest.validation.validate_row import RowValidator
from gateway.privacy.field_encryption import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE, TODAY, USCC
from tests.sampling import sampled
from verification import id_check_character
from verification.uscc import check_character

KEYS = VaultKeys.parse(Vault.generate_keys())
JUDGES = {code: RowValidator(CATALOGUE, code, today=TODAY) for code in CATALOGUE.codes}
CODES = [(made := f"{USCC[:14]}{n}{USCC[15:17]}") + check_character(made) for n in range(6)]

_GOOD = st.text("甲乙丙丁ab 1", min_size=1, max_size=12).filter(str.strip)
_ID_NUMBER = f"张三33010619900101123{id_check_character('33010619900101123')}李四"
_BAD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(
        [
            "",
            " ",
            [],
            [""],
            [" "],
            ["甲"],
            [_ID_NUMBER],
            "a\0b",
            "甲\t乙\\\n丙\r",
            "\ud800",
            "字" * 2001,
            _ID_NUMBER,
            "电话13900001234",
            "-1",
            "2099-01-01",
            0,
            1,
        ]
    )
)
_FITTING: dict[str, st.SearchStrategy[Any]] = {
    "text": _GOOD,
    "free_text": _GOOD,
    "texts": st.lists(_GOOD, min_size=1, max_size=3),
    "date": st.dates(date(1990, 1, 1), date(2026, 11, 1)).map(date.isoformat),
    "month": st.just("2026-10"),
    "boolean": st.booleans(),
    "integer": st.integers(0, 1000),
    "decimal": st.decimals(0, 1000, places=2).map(str),
    "indicators": st.sampled_from([[], [], [{"indicator": "tax", "points": 7}], [{"points": 7}]]),
}
_TIMES = st.sampled_from(["", None, "2026-11-01T09:00:00+08:00", "2026-10-01T01:00:00Z"])
_OTHERS = st.fixed_dictionaries(
    {},
    optional={
        "uscc": st.sampled_from(["", [], f" {USCC.lower()}", USCC[:-1], "330106199001011237", 7]),
        "key": _BAD,
        "source_time": st.sampled_from(["2026-11-01", "2099-01-01T00:00:00Z", 0, [], "\ud800"]),
        "unheard_of": _BAD,
    },
)


@st.composite
def rows(draw: st.DrawFn, code: str) -> list[dict[str, Any]]:
    """A batch large enough for column-wise validation, in which some members are changed."""
    fields = {each.name: each for each in CATALOGUE.dataset(code).fields if each.name != "uscc"}
    made: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(9, 20))):
        row: dict[str, Any] = {"uscc": draw(st.sampled_from(CODES))}
        for name, each in fields.items():
            fitting = st.sampled_from(each.values) if each.values else _FITTING[each.type]
            if each.values and each.type == "texts":
                fitting = st.lists(st.sampled_from(each.values), min_size=1, max_size=2)
            row[name] = draw(fitting)
        made.append({**row, "source_time": draw(_TIMES)})
    key = CATALOGUE.dataset(code).key
    for row in draw(st.lists(st.sampled_from(made), max_size=20)):
        row["key"] = draw(st.sampled_from(["|".join(str(row[n]) for n in key), "", []]))
    for row in draw(st.lists(st.sampled_from(made), max_size=4)):
        name = draw(st.sampled_from(sorted(fields)))
        row[name] = draw(_BAD)
        row.update(draw(_OTHERS))
        row.pop(draw(st.sampled_from([*sorted(fields), "uscc"])), None)
    if draw(st.integers(0, 20)) == 0:
        made = [{n: v for n, v in row.items() if n != "uscc"} for row in made]
    return made


@pytest.mark.parametrize("code", CATALOGUE.codes)
@settings(max_examples=sampled(12, full=50))
@given(st.data())
def test_at_once_or_one_by_one(code: str, data: st.DataObject) -> None:
    """For any rows."""
    delivered = data.draw(rows(code))
    at_once, one_by_one = make_batch(code), make_batch(code)
    at_once.add(1, delivered)
    for number, row in enumerate(delivered, 1):
        one_by_one.add(number, [row])
    assert at_once.rows == one_by_one.rows == len(delivered)
    assert at_once.rejected == one_by_one.rejected
    assert at_once.warned == one_by_one.warned
    assert at_once.superseded == one_by_one.superseded
    assert lines_of(code, at_once) == lines_of(code, one_by_one)


@pytest.mark.parametrize("code", CATALOGUE.codes)
@settings(max_examples=sampled(6, full=20))
@given(st.data())
def test_a_clean_batch_takes_the_column_wise_path(code: str, data: st.DataObject) -> None:
    """Control: valid rows take the column-wise path."""
    delivered = data.draw(rows(code))
    batch = make_batch(code)
    batch.add(1, delivered)
    columns = columns_of_rows(delivered)
    assert columns is not None
    lot = ColumnValidator(JUDGES[code].rules).validate(columns)
    if not batch.rejected and not batch.warned and not any("key" in row for row in delivered):
        assert lot is not None
        assert len(lot.keys) == len(delivered)
    if batch.warned:
        assert lot is None


def make_batch(code: str) -> CopyBatch:
    """A batch whose encryption is deterministic."""
    vault = Vault(KEYS, random=bytes)
    return CopyBatch(
        JUDGES[code], row_encoder(CATALOGUE, code, Source(source_id="s", name="数源"), vault)
    )


def lines_of(code: str, batch: CopyBatch) -> Sequence[dict[str, Any]]:
    """COPY lines of the column-wise path without the random ids."""
    names = staging_table_of(code).columns
    lines = batch.payload().decode().split("\n")[:-1]
    made = [dict(zip(names, line.split("\t"), strict=True)) for line in lines]
    for each in made:
        del each["record_id"]
        if "fields" in each:
            each["fields"] = json.loads(each["fields"].replace("\\\\", "\\"))
    return made
