"""A row read at once is a row read member by member: the same fields, the same problems."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.creditfile.intake.judging import Judge
from gateway.creditfile.intake.staging import liner_for
from gateway.creditfile.intake.verdicts import Accepted, Source
from gateway.creditfile.mapping import Problem
from gateway.creditfile.vault import Vault, VaultKeys
from tests.creditfile_builders import CATALOGUE, TODAY, USCC

VAULT = Vault(VaultKeys.parse(Vault.generate_keys()))
JUDGES = {code: Judge(CATALOGUE, code, today=TODAY) for code in CATALOGUE.codes}
LINERS = {
    code: liner_for(CATALOGUE, code, Source(source_id="s", name="数源"), VAULT)
    for code in CATALOGUE.codes
}

_GOOD = st.text("甲乙丙丁ab 1", min_size=1, max_size=12).filter(str.strip)
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
            "a\0b",
            "甲\t乙\\\n丙\r",
            "字" * 2001,
            "-1",
            "2099-01-01",
        ]
    )
)
_NO_TEXTS = st.sampled_from([[], [""], [" ", ""], None, "", "甲", ["甲", 1]])
_FITTING: dict[str, st.SearchStrategy[Any]] = {
    "text": _GOOD,
    "free_text": _GOOD,
    "texts": st.lists(_GOOD, min_size=1, max_size=3),
    "date": st.dates(date(1990, 1, 1), date(2026, 11, 1)).map(date.isoformat),
    "month": st.just("2026-10"),
    "boolean": st.booleans(),
    "integer": st.integers(0, 1000),
    "decimal": st.decimals(0, 1000, places=2).map(str),
}


@st.composite
def a_row(draw: st.DrawFn, code: str) -> dict[str, Any]:
    """What fits, in any order, but for a member or two."""
    fields = {each.name: each for each in CATALOGUE.dataset(code).fields if each.name != "uscc"}
    row: dict[str, Any] = {"uscc": USCC}
    for name in draw(st.permutations(sorted(fields))):
        values = fields[name].values
        fitting = st.sampled_from(values) if values else _FITTING[fields[name].type]
        if values and fields[name].type == "texts":
            fitting = st.lists(st.sampled_from(values), min_size=1, max_size=2)
        row[name] = draw(fitting)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
        row[name] = draw(_NO_TEXTS if fields[name].type == "texts" else _BAD)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=3)):
        row.pop(name, None)
    return row


@pytest.mark.parametrize("code", CATALOGUE.codes)
@settings(deadline=None)
@given(st.data())
def test_at_once_or_member_by_member(code: str, data: st.DataObject) -> None:
    """Whatever the row is."""
    row, judge = data.draw(a_row(code)), JUDGES[code]
    one: list[Problem] = []
    other: list[Problem] = []
    assert judge._read(row, one) == judge._read_closely(row, other)
    assert one == other


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(CATALOGUE.codes))
def test_a_line_has_a_cell_for_each_column(data: st.DataObject, code: str) -> None:
    """And no value ends a cell or a line."""
    row = data.draw(a_row(code))
    for name in CATALOGUE.dataset(code).key:
        row.setdefault(name, "键")
    verdict = JUDGES[code].judge(row)
    if isinstance(verdict, Accepted):
        line = LINERS[code](1, verdict, "id")
        assert line.count("\t") == (25 if code == "registration" else 18)
        assert "\n" not in line
        assert "\r" not in line
