"""Excel workbooks: national templates, choice of the sheet, typed cells, and what rejects a row."""

import csv
import io
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from tests.creditfile_builders import USCC
from tests.ingest_reader import Reader, reader_in
from tests.unit.test_ingest_national_templates import (
    LICENCE,
    PENALTY,
    VECTORS,
    as_person,
    fields_of,
)
from tests.workbook_builders import (
    biff_record,
    biff_workbook,
    raw_cell,
    raw_workbook,
    sheet_rows,
    workbook,
)

HEADER = [
    "统一社会信用代码",
    "处罚决定书文号",
    "处罚类别",
    "罚款金额（万元）",
    "处罚决定日期",
    "违法事实",
]
ROW: list[Any] = [USCC, "罚1", "警告；罚款", 1.2, date(2026, 8, 1), "未按规定明码标价。"]
NOTES: list[list[Any]] = [
    ["填表说明"],
    ["序号", "数据项", "说明"],
    [1, "统一社会信用代码", "必填"],
    [2, "处罚类别", "必填"],
]
BOTH = {"penalty": PENALTY, "licence": LICENCE}


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes as a file of penalties."""
    return reader_in(tmp_path)


def cells_of(text: str) -> list[list[Any]]:
    """Rows of a CSV file, typed as somebody who fills in a workbook types them."""
    header, *rows = csv.reader(io.StringIO(text))
    return [header, *([_typed(each) for each in row] for row in rows)]


def _typed(text: str) -> Any:
    if text.count("/") == 2:
        return datetime.strptime(text, "%Y/%m/%d").date()  # noqa: DTZ007  # a day
    return float(text) if text.replace(".", "").isdigit() and len(text) < 6 else text


def with_cell(column: int, value: Any) -> list[Any]:
    """The row with another cell."""
    return [value if place == column else each for place, each in enumerate(ROW)]


@pytest.mark.parametrize("ending", ["xlsx", "xls"])
@pytest.mark.parametrize("dataset", ["penalty", "licence"])
def test_a_national_template_as_a_workbook_is_the_same_as_its_csv(
    read: Reader, dataset: str, ending: str
) -> None:
    """Without a warning, with a sheet of notes before it and a title above its header."""
    text = BOTH[dataset]
    as_csv = read(text, dataset=dataset)
    content = (VECTORS / f"{dataset}_national_template.xls").read_bytes()
    if ending == "xlsx":
        content = workbook([["双公示信息"], [], *cells_of(text)], {"填表说明": NOTES})
    found = read(content, ending, dataset=dataset)
    assert (found.refused, found.warned) == (None, {})
    assert found.lines[:1] == as_csv.lines
    assert found.chunks[0].ignored == as_csv.chunks[0].ignored


def test_rows_of_natural_persons_are_passed_over(read: Reader) -> None:
    """And counted, whatever else their cells hold."""
    rows = cells_of(as_person(PENALTY))
    found = read(workbook([*rows[:2], [*rows[2], "", "多余"]]), "xlsx")
    assert (found.rejects, found.rows, found.chunks[0].passed_over) == ([], 2, 1)


def test_empty_rows_and_columns_count_for_nothing(read: Reader) -> None:
    """Row numbers are those of a CSV file: from 1, without titles, header and empty rows."""
    bad = with_cell(4, "2026年13月")
    sheet: list[list[Any]] = [
        [],
        ["", "行政处罚"],
        [],
        ["", *HEADER],
        ["", *ROW],
        ["", " ", "\u3000"],
        ["", *bad],
    ]
    found = read(workbook(sheet), "xlsx")
    assert found.refused is None
    assert [each[:2] for each in found.rejects] == [("2", "decided_on")]
    assert [line[0] for line in found.lines] == ["1"]


@pytest.mark.parametrize("skip", [0, 7, 40])
def test_reading_goes_on_after_rows_taken_before(read: Reader, skip: int) -> None:
    """As in every format."""
    rows = [with_cell(1, f"罚{n}") for n in range(60)]
    found = read(workbook([HEADER, *rows]), "xlsx", chunk_rows=20, skip=skip)
    assert [int(line[0]) for line in found.lines] == list(range(skip + 1, 61))


def test_a_value_in_a_column_without_a_name_rejects_its_row(read: Reader) -> None:
    """Unless unknown columns are left out."""
    rows: list[list[Any]] = [["", *HEADER], ["", *ROW], ["x", *with_cell(1, "罚2")]]
    content = workbook(rows)
    found = read(content, "xlsx")
    assert found.rejects == [("2", "?", "a value in column 1, which has no name in the header")]
    assert read(content, "xlsx", ignore_unknown=True).rejects == []


class TestChoiceOfTheSheet:
    """The sheet that is named, or the only visible one whose header fits."""

    def test_two_that_fit_are_named(self, read: Reader) -> None:
        """And one of them is chosen by its name."""
        other = [HEADER, with_cell(1, "罚2")]
        content = workbook([HEADER, ROW], {"2025年": other})
        refused = read(content, "xlsx").refused
        assert refused is not None
        assert "fits: 2025年, 数据. Name one by --sheet" in refused
        found = read(content, "xlsx", sheet="2025年")
        assert [line[2] for line in found.lines] == ["罚2"]

    def test_a_hidden_one_is_read_only_if_it_is_named(self, read: Reader) -> None:
        """Templates keep lists of values there, and sometimes old rows."""
        content = workbook([HEADER, ROW], {"old": [HEADER, with_cell(1, "罚2")]}, hidden=["old"])
        assert [line[2] for line in read(content, "xlsx").lines] == ["罚1"]
        assert [line[2] for line in read(content, "xlsx", sheet="old").lines] == ["罚2"]

    def test_one_that_is_not_there(self, read: Reader) -> None:
        """The sentence lists those that are."""
        refused = read(workbook([HEADER, ROW]), "xlsx", sheet="数据2").refused
        assert refused == "The workbook has no sheet 数据2; it has 数据."

    def test_the_nearest_header_says_what_is_wrong(self, read: Reader) -> None:
        """The index of the sheet with the most known columns."""
        content = workbook([[*HEADER, "内部案号"], [*ROW, "7"]], {"notes": NOTES})
        refused = read(content, "xlsx").refused
        assert refused is not None
        assert "column “内部案号”. Accepted: 统一社会信用代码" in refused

    @pytest.mark.parametrize("rows", [[], [["", " "]]])
    def test_none(self, read: Reader, rows: list[list[str]]) -> None:
        """An empty workbook."""
        assert read(workbook(rows), "xlsx").refused == (
            "No sheet of the workbook has a header that can be read."
        )


@pytest.mark.parametrize(
    ("column", "cell", "field", "stored"),
    [
        (1, 123, "document_number", "123"),
        (1, 20260001.0, "document_number", "20260001"),
        (1, 123456789012345, "document_number", "123456789012345"),
        (3, 0.1 + 0.2, "fine", "0.300000"),
        (3, 6000 / 10_000, "fine", "0.600000"),
        (3, 1e-05, "fine", "0.000010"),
        (3, "1,200.50", "fine", "1200.500000"),
        (4, date(2026, 3, 2), "decided_on", "2026-03-02"),
        (4, datetime(2026, 3, 2), "decided_on", "2026-03-02"),  # noqa: DTZ001  # as Excel has it
        (4, 20260302, "decided_on", "2026-03-02"),
        (4, "2026年3月2日", "decided_on", "2026-03-02"),
        (5, 7, "facts", "7"),
        (5, "第一行\n第二行", "facts", "第一行\n第二行"),
    ],
)
def test_typed_cells_are_read_as_a_csv_has_them(
    read: Reader, column: int, cell: Any, field: str, stored: str
) -> None:
    """Alone, and among many rows at once."""
    for count in (1, 30):
        rows = [with_cell(column, cell)] * count
        if column != 1:
            rows = [[USCC, f"罚{n}", *row[2:]] for n, row in enumerate(rows)]
        found = read(workbook([HEADER, *rows]), "xlsx")
        assert (found.refused, found.rejects) == (None, [])
        assert fields_of(found)[field] == stored


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        (0, 913301060000000001, "stored as a number, whose digits after the 15th are lost"),
        (1, 2026000000000001, "stored as a number, whose digits after the 15th are lost"),
        (1, date(2026, 3, 12), "stored as a date or time in a column of texts"),
        (1, time(10, 30), "stored as a date or time in a column of texts"),
        (4, datetime(2026, 3, 2, 10, 30), "not a date as YYYY-MM-DD"),  # noqa: DTZ001  # as above
        (4, 46083, "not a date as YYYY-MM-DD"),
        (4, time(10, 30), "not a date as YYYY-MM-DD"),
        (3, True, "not a decimal with at most 14 and 6 digits, as text"),
        (3, date(2026, 3, 2), "not a decimal with at most 14 and 6 digits, as text"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_meant_reject_their_row(
    read: Reader, column: int, cell: Any, reason: str
) -> None:
    """A code or number of a document that Excel has changed is not stored."""
    good = [with_cell(1, f"罚{n}") for n in range(2, 30)]
    found = read(workbook([HEADER, *good, with_cell(column, cell)]), "xlsx")
    field = ("uscc", "document_number", "kinds", "fine", "decided_on", "facts")[column]
    assert found.rejects == [("29", field, reason)]


def raw_row(*changed: tuple[int, str]) -> str:
    """Cells of a row in XML, some of them changed."""
    cells = [raw_cell(each if isinstance(each, str) else "2026-08-01") for each in ROW]
    cells[3] = "<c><v>1.2</v></c>"
    for place, cell in changed:
        cells[place] = cell
    return "".join(cells)


HEAD = "".join(map(raw_cell, HEADER))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ('<c t="e"><v>#REF!</v></c>', "an error value, such as #REF!"),
        ('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>', "an error value, such as #REF!"),
        ("<c><f>A1*2</f></c>", "a formula without its value"),
        ("<c><f>A1*2</f><v></v></c>", "a formula without its value"),
    ],
)
def test_errors_and_formulas_without_a_value_reject_their_row(
    read: Reader, cell: str, reason: str
) -> None:
    """An optional field would be lost without a word."""
    content = raw_workbook(sheet_rows([HEAD, raw_row(), raw_row((1, raw_cell("罚2")), (3, cell))]))
    found = read(content, "xlsx")
    assert found.rejects == [("2", "fine", reason)]
    assert [line[0] for line in found.lines] == ["1"]


def test_every_problem_of_a_row_is_listed(read: Reader) -> None:
    """Of its cells and of its values."""
    cells = raw_row((1, "<c><v>2026000000000001</v></c>"), (3, '<c t="e"><v>#N/A</v></c>'),
                    (4, raw_cell("2026-13-01")))  # fmt: skip
    found = read(raw_workbook(sheet_rows([HEAD, cells])), "xlsx")
    assert {each[1] for each in found.rejects} == {"document_number", "fine", "decided_on"}


@pytest.mark.parametrize(
    ("cell", "stored"),
    [
        ("<c><f>A1*2</f><v>2.5</v></c>", "2.500000"),
        ('<c t="str"><f>A1</f><v>0.6</v></c>', "0.600000"),
        ('<c t="str"><f>IF(1,"","")</f><v></v></c>', None),
        ('<c s="1"/>', None),
    ],
)
def test_the_value_of_a_formula_is_read(read: Reader, cell: str, stored: str | None) -> None:
    """As the program that saved the workbook has computed it."""
    found = read(raw_workbook(sheet_rows([HEAD, raw_row((3, cell))])), "xlsx")
    assert found.rejects == []
    assert fields_of(found).get("fine") == stored


def test_merged_cells_below_the_header_reject_their_rows(read: Reader) -> None:
    """No row tells whose the value is; merged titles and merged empty cells do not matter."""
    rows = [raw_cell("标题"), HEAD, raw_row(), raw_row((1, raw_cell("罚2")), (3, "<c/>")),
            raw_row((1, raw_cell("罚3")), (5, "<c/>"))]  # fmt: skip
    merged = ("A1:F1", "D3:D4", "F5:H5")
    merges = "".join(f'<mergeCell ref="{each}"/>' for each in merged)
    found = read(raw_workbook(f"{sheet_rows(rows)}<mergeCells>{merges}</mergeCells>"), "xlsx")
    assert found.rejects == [("1", "fine", "a merged cell"), ("2", "fine", "a merged cell")]
    assert [line[0] for line in found.lines] == ["3"]


@pytest.mark.parametrize(
    "cell",
    [
        '<c t="inlineStr"><is><r><t>罚</t></r><r><rPr/><t>7</t></r></is></c>',
        '<c t="str"><v xml:space="preserve">罚&#55;</v></c>',
    ],
)
def test_rich_text_and_references_are_read(read: Reader, cell: str) -> None:
    """As some programs write a text in its cell."""
    found = read(raw_workbook(sheet_rows([HEAD, raw_row((1, cell), (3, "<c><v/></c>"))])), "xlsx")
    assert found.rejects == []
    assert fields_of(found)["document_number"] == "罚7"


def test_progress_ends_with_the_file(read: Reader) -> None:
    """And never beyond it."""
    content = workbook([HEADER, *(with_cell(1, f"罚{n}") for n in range(9))])
    found = read(content, "xlsx", chunk_rows=3)
    shares = [round(each.position / len(content), 2) for each in found.chunks]
    assert shares == [0.4, 0.7, 1]


def test_an_error_in_an_xls_rejects_its_row(read: Reader) -> None:
    """Its reader tells an error as an empty cell."""
    found = read((VECTORS / "penalty_national_template.xls").read_bytes(), "xls")
    assert found.rejects == [("2", "fine", "an error value, such as #REF!")]


def test_the_result_of_a_formula_in_an_xls_may_be_an_error(read: Reader) -> None:
    """BIFF keeps it in the record of the formula."""
    words = [*HEADER, *(str(each) for each in ROW)]
    records = b""
    for place, word in enumerate(words):
        row, column, text = *divmod(place, len(HEADER)), word.encode("utf-16-le")
        if place != len(HEADER) + 3:
            form = f"3HHB{len(text)}s"
            records += biff_record(0x204, form, row, column, 0, len(word), 1, text)
    error = biff_record(0x06, "3H6BHHLH", 1, 3, 0, 2, 0, 0x17, 0, 0, 0, 0xFFFF, 0, 0, 0)
    found = read(biff_workbook(records + error), "xls")
    assert found.refused is None
    assert found.rejects == [("1", "fine", "an error value, such as #REF!")]


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_names_of_elements_may_have_a_prefix(read: Reader, prefix: str) -> None:
    """As some libraries write them."""
    sheet = sheet_rows([HEAD, raw_row((3, '<c t="e"><v>#N/A</v></c>'))])
    for name in ("sheetData", "row", "c", "is", "t", "v"):
        sheet = sheet.replace(f"<{name}", f"<{prefix}{name}").replace(
            f"</{name}", f"</{prefix}{name}"
        )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    whole = f'<{prefix}worksheet xmlns:x="{main}" xmlns="{main}">{sheet}</{prefix}worksheet>'
    found = read(raw_workbook("", parts={"xl/worksheets/sheet1.xml": whole}), "xlsx")
    assert found.rejects == [("1", "fine", "an error value, such as #REF!")]


def test_a_workbook_under_the_other_ending_is_read(read: Reader) -> None:
    """Many systems write .xlsx under the name .xls."""
    assert read(workbook([HEADER, ROW]), "xls").rows == 1
    assert read((VECTORS / "licence_national_template.xls").read_bytes(), "xlsx",
                dataset="licence").rows == 1  # fmt: skip
