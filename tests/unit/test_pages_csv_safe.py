"""CSV export: UTF-8 for spreadsheets, and no cell that is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages.csv_safe import as_csv, escape_formula

BEGINNINGS = "=+-@\t\r\n＝＋－＠"  # the wide forms begin a formula in Excel too


@pytest.mark.parametrize("begins", BEGINNINGS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\u3000"])
def test_a_cell_that_would_begin_a_formula_is_text(begins: str, before: str) -> None:
    """Also after spaces that a program may strip."""
    assert escape_formula(f"{before}{begins}cmd|'/C calc'!A0")[0] == "'"


@pytest.mark.parametrize("text", ["浙江示范银行", "2026-11-22 12:00:00", "a=b", "", "3", "'"])
def test_a_harmless_cell_is_unchanged(text: str) -> None:
    """Other cells are unchanged."""
    assert escape_formula(text) == text


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1))
def test_every_row_is_read_back_as_one_row_of_text(row: list[str]) -> None:
    """Cells are neither split, lost nor formulas."""
    (read,) = csv.reader(io.StringIO(as_csv([row]), newline=""))
    assert [each.removeprefix("'") for each in read] == [each.removeprefix("'") for each in row]
    assert not any(each[:1] in BEGINNINGS for each in read if each)
