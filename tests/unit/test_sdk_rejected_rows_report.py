"""Workbook of rejected rows: text only, the bad cells marked, of the right file, private."""

import re
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from xinqiao._core.wire.json_reader import Reader
from xinqiao.cli._language import Language
from xinqiao.cli.deliver.own_rows import OwnRows, UnreadableError
from xinqiao.cli.deliver.report import Report, write_report
from xinqiao.cli.deliver.row_notes import RowNote, by_row

COLUMNS = ("案号", "处罚类别", "罚款")


def note(row: int, column: str = "处罚类别", **changed: Any) -> RowNote:
    values = {"field": "kinds", "code": "x", "reason": "不是可接受的值", "accepted": "罚款"}
    return RowNote(row=row, column=column, **{**values, **changed})


def told(*rejected: RowNote, warned: Sequence[RowNote] = ()) -> Report:
    return Report(rejected=by_row(rejected), warned=by_row(warned), language=Language.ZH)


def own(*rows: Sequence[str], columns: Sequence[str] = COLUMNS) -> OwnRows:
    return OwnRows(columns, iter(rows), list, lambda: None)


def write(path: Path, report: Report, found: OwnRows | None, **changed: Any) -> None:
    values = {"rows": None, "overwrite": False}
    write_report(path, report, found, **{**values, **changed})


def sheets(path: Path) -> dict[str, list[list[Any]]]:
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    return {name: list(book.get_sheet_by_name(name).iter_rows()) for name in book.sheet_names}


def test_a_rejected_row_stands_beside_its_reasons(tmp_path: Path) -> None:
    """Only the rows that were named, several reasons in one cell; warnings on a sheet of their own."""
    path = tmp_path / "r.xlsx"
    report = told(
        note(2), note(2, "罚款", reason="不是数字", accepted=""), note(3, "", reason="单元格数不符"),
        warned=[note(1, "案号", reason="校验码不符")],
    )  # fmt: skip
    write(path, report, own(("罚1", "罚款", "1"), ("罚2", "没有", "x"), ("罚3",)), rows=3)
    assert sheets(path) == {
        "未接受的行": [
            ["行", "列", "原因", "可接受的值", *COLUMNS],
            [
                2.0, "处罚类别\n罚款", "处罚类别：不是可接受的值\n罚款：不是数字",
                "处罚类别：罚款", "罚2", "没有", "x",
            ],
            [3.0, "", "单元格数不符", "罚款", "罚3", "", ""],
        ],
        "提示": [["行", "列", "说明", *COLUMNS], [1.0, "案号", "校验码不符", "罚1", "罚款", "1"]],
    }  # fmt: skip


def test_cells_are_text_and_never_formulas_links_or_markup(tmp_path: Path) -> None:
    """Whatever stands in a cell comes back as it was, or marked where no workbook can hold it."""
    cells = (
        "=1+1", "{=1+1}", "+1", "@x", "http://x.test", "0012", "<b>&amp;", "_x0041_", "a\x01b", " x ",
        "\udcff", "字" * 40_000, "", "a\r\nb",
    )  # fmt: skip
    path = tmp_path / "r.xlsx"
    columns = [f"=列{place}" for place in range(len(cells))]
    write(path, told(note(1)), own(cells, columns=columns), rows=1)
    (rows,) = sheets(path).values()
    found = rows[1][4:]
    wanted = list(cells)
    wanted[10], wanted[11] = "\ufffd", "字" * 32_766 + "…"
    assert [str(each).replace("\r\n", "\n") for each in found] == [
        each.replace("\r\n", "\n") for each in wanted
    ]
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert set(re.findall(r'<c [^>]*t="(\w+)"', sheet)) == {"inlineStr"}
    assert '<pane xSplit="1" ySplit="1"' in sheet
    assert not [name for name in parts if "rels" in name and "External" in parts[name]]


def test_the_bad_cell_alone_is_marked(tmp_path: Path) -> None:
    """By the column's name, however long and spaced it is."""
    path = tmp_path / "r.xlsx"
    long = "很长的  列名" * 10
    write(path, told(note(1, " ".join(long.split())[:40])), own(("a", "b"), columns=("x", long)))
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    style = dict(re.findall(r'<c r="(\w\d)" s="(\d+)"', sheet))
    assert style["E2"] != style["F2"]
    assert "FFFFC7CE" in styles


@pytest.mark.parametrize("rows", [1, 3])
def test_rows_of_another_file_are_never_joined(tmp_path: Path, rows: int) -> None:
    """A file with another number of rows than the gateway counted leaves no report."""
    path = tmp_path / "r.xlsx"
    with pytest.raises(UnreadableError):
        write(path, told(note(1)), own(("a",), ("b",)), rows=rows)
    assert not path.exists()
    write(path, told(note(1), note(2)), None)
    assert [row[0] for row in sheets(path)["未接受的行"]] == ["行", 1.0, 2.0]


def test_a_report_is_private_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """Mode 0600, even where a wider one is overwritten; no link is followed."""
    path, target = tmp_path / "r.xlsx", tmp_path / "target"
    write(path, told(note(1)), None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        write(path, told(note(2)), None)
    assert path.read_bytes() == before
    path.chmod(0o644)
    write(path, told(note(2)), None, overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    target.write_text("x")
    path.symlink_to(target)
    write(path, told(note(2)), None, overwrite=True)
    assert target.read_text() == "x"


def test_a_report_is_replaced_only_by_a_whole_one(tmp_path: Path) -> None:
    """What was there stays where the new one cannot be finished; nothing else is left behind."""
    path = tmp_path / "r.xlsx"
    path.write_text("x")
    with pytest.raises(UnreadableError):
        write(path, told(note(1)), own(("a",)), rows=2, overwrite=True)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("r.xlsx", "x")]
    write(path, told(note(1)), own(("a",)), rows=1, overwrite=True)
    assert [each.name for each in tmp_path.iterdir()] == ["r.xlsx"]
    assert sheets(path)["未接受的行"][1][0] == 1.0


def test_rows_beyond_the_limit_of_a_sheet_are_left_out(tmp_path: Path) -> None:
    """The first ones stay."""
    path = tmp_path / "r.xlsx"
    write(path, replace(told(note(1), note(2), note(4)), most_rows=2), None)
    assert [row[0] for row in sheets(path)["未接受的行"]] == ["行", 1.0, 2.0]


@pytest.mark.parametrize(
    ("entry", "column", "reason"),
    [
        ({"row": 1, "field": "kinds", "reason": "r", "column": "类别"}, "类别", "r"),
        ({"row": 1, "field": "kinds", "reason": "r"}, "kinds", "r"),
        ({"row": 1, "field": "?", "reason": "r"}, "", "r"),
        ({"row": 1, "field": "facts", "kind": "id", "start": 1, "length": 18}, "facts", "id"),
    ],
)
def test_entries_of_either_list_are_read(entry: dict[str, Any], column: str, reason: str) -> None:
    """Columns, or fields where the file names none."""
    found = RowNote.read(Reader.of(entry, "rejects"))
    assert (found.column, found.reason) == (column, reason)
