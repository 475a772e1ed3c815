"""Rows of a delivered file: `xinqiao deliver` numbers and reads them as the gateway does."""

import gzip
import json
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import zstandard

from gateway.creditfile.field_problems import FieldProblem
from gateway.ingest.readers.column_map import load_column_map
from gateway.ingest.readers.csv_reader import read_csv
from gateway.ingest.readers.decompression import DecompressedFile, FileRefused
from gateway.ingest.readers.header import HeaderReader, shown_name
from gateway.ingest.readers.ndjson_reader import read_ndjson
from gateway.ingest.readers.workbook.workbook_file import WorkbookFile
from gateway.ingest.readers.workbook.workbook_reader import read_workbook
from tests.creditfile_builders import CATALOGUE
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import uscc_columns
from xinqiao.cli.deliver import report
from xinqiao.cli.deliver.column_map import read_column_map
from xinqiao.cli.deliver.own_rows import ReadOptions, UnreadableError, format_of, read_rows
from xinqiao.cli.deliver.text_rows import fold_name

EVERY = range(1_000_000)
HEADER = "统一社会信用代码,决定书文号,处罚类别,违法事实,处罚决定日期"
ROW = "91330106MAHD08319M,罚1,罚款,事实,2026-03-02"
NAMES = frozenset(map(fold_name, uscc_columns()))
AWKWARD = {
    "plain": f"{HEADER}\n{ROW}\n{ROW}\n",
    "no_newline_at_the_end": f"{HEADER}\n{ROW}",
    "mark_and_carriage_returns": f"\ufeff{HEADER}\r\n{ROW}\r\n{ROW}\r\n",
    "titles": f"双公示信息表,,,,\n填报单位：某局\n{HEADER}\n{ROW}\n",
    "a_title_with_a_comma": f"某局，信息表,第1页\n\n{HEADER}\n{ROW}\n",
    "empty_rows": f"\n\n{HEADER}\n\n{ROW}\n,,,,\n \t,　,\n{ROW}\n\n\n",
    "separators_at_the_end": f"{HEADER},,\n{ROW},,\n{ROW},\n{ROW}\n",
    "too_many_and_too_few_cells": f"{HEADER}\n{ROW},x,y\na,b\n{ROW}\n",
    "newlines_in_quotes": f'{HEADER}\n91,罚1,罚款,"一\n二\r\n\n三",2026-03-02\n{ROW}\n',
    "doubled_quotes": f'{HEADER}\n91,罚1,罚款,"a""b, c",2026-03-02\n{ROW}\n',
    "a_quote_inside": f'{HEADER}\n91,罚1,罚款,a"b"c,2026-03-02\n{ROW}\n',
    "text_behind_a_quotation": f'{HEADER}\n91,罚1,罚款,"a"b,2026-03-02\n{ROW}\n{ROW}\n',
    "an_unclosed_quotation": f'{HEADER}\n{ROW}\n91,罚1,罚款,"a,2026-03-02\n{ROW}\n{ROW}\n',
    "bare_carriage_returns": f"{HEADER}\n91,罚1,罚款,a\rb,2026-03-02\n{ROW}\r{ROW}\n,,\r,\n{ROW}\n",
    "tabs": f"{HEADER}\n{ROW}\n{ROW}\n".replace(",", "\t"),
    "semicolons": f"标题，a,b\n{HEADER}\n{ROW}\n".replace(",", ";"),
    "bars_and_blanks_in_names": f" 统一 社会信用代码* |处罚类别|c\n{ROW}\n".replace(",", "|"),
    "folded_names": "行政相对人代码＿１【统一社会信用代码】,处罚 类别\n91,x\n",
    "header_twice": f"{HEADER}\n{ROW}\n{HEADER}\n{ROW}\n",
    "bytes_that_are_no_characters": f"{HEADER}\n{ROW}\n91,\udcff\udcfe,x,y,z\n",
}


def options(path: Path, **changed: Any) -> ReadOptions:
    values = {"path": path, "format": format_of(path, None), "uscc_names": NAMES}
    return ReadOptions(**{**values, **changed})


def own(path: Path, **changed: Any) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Columns and rows as the command reads them."""
    with closing(read_rows(options(path, **changed), EVERY)) as found:
        rows = [(number, list(cells)) for number, cells in found.select(EVERY)]
        assert found.count == len(rows)
        return list(found.columns), rows


class _AnyHeader(HeaderReader):
    """Takes every header that names the USCC."""

    def _check(self, columns: Sequence[str]) -> None:
        del columns


def theirs(path: Path, encoding: str = "auto") -> list[tuple[int, list[str]]]:
    """Rows as the gateway reads them; no cells where it rejects the row unread."""
    header = _AnyHeader(CATALOGUE, "penalty", ignore_unknown=True)
    with DecompressedFile(path) as source:
        reader = read_csv(source, header, encoding)  # type: ignore[arg-type]
        taken: list[Any] = []
        while more := reader.take(2):
            taken += more
    return [
        (number, [] if isinstance(each, FieldProblem) else each)
        for number, each in enumerate(taken, start=1)
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("name", AWKWARD)
def test_rows_of_an_awkward_file_have_the_gateways_numbers(
    tmp_path: Path, name: str, encoding: str
) -> None:
    """Numbers and cells, in both encodings."""
    content = AWKWARD[name] if encoding == "utf-8" else AWKWARD[name].removeprefix("\ufeff")
    path = tmp_path / "file.csv"
    path.write_bytes(content.encode(encoding, "surrogateescape"))
    _, rows = own(path, encoding=encoding)
    assert rows == theirs(path, encoding)
    assert rows
    if "\udcff" not in content:
        assert own(path)[1] == rows


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    """gzip, and several frames of Zstandard; a damaged file ends where it breaks."""
    content = AWKWARD["newlines_in_quotes"].encode()
    (tmp_path / "file.csv").write_bytes(content)
    (tmp_path / "file.csv.gz").write_bytes(
        gzip.compress(content[:90]) + gzip.compress(content[90:])
    )
    (tmp_path / "file.csv.zst").write_bytes(
        zstandard.compress(content[:90]) + zstandard.compress(content[90:])
    )
    wanted = theirs(tmp_path / "file.csv")
    for name in ("file.csv", "file.csv.gz", "file.csv.zst"):
        assert own(tmp_path / name)[1] == wanted
    whole = gzip.compress(content * 1000)
    (tmp_path / "file.csv.gz").write_bytes(whole[: len(whole) // 2])
    assert own(tmp_path / "file.csv.gz")[1][:2] == wanted


def test_a_first_block_decides_on_the_encoding(tmp_path: Path) -> None:
    """As the gateway has it, in a file of several blocks."""
    path = tmp_path / "file.csv"
    path.write_bytes((f"{HEADER}\n" + f"{ROW}\n" * 40_000).encode("gb18030"))
    assert own(path)[1] == theirs(path)


def test_a_file_without_a_header_is_not_joined(tmp_path: Path) -> None:
    """The gateway refuses it too."""
    path = tmp_path / "file.csv"
    for content in ("a,b\n1,2\n", "\n\n", '"'):
        path.write_text(content)
        with pytest.raises(UnreadableError):
            own(path)
        with pytest.raises(FileRefused):
            theirs(path)


def test_json_lines_have_the_gateways_numbers(tmp_path: Path) -> None:
    """Members are columns; a line that is no object stands whole."""
    path = tmp_path / "file.ndjson"
    lines = [
        '\ufeff{"uscc": "91", "n": 1}',
        "",
        "  \t",
        "[1]",
        '{"kinds": ["罚款"], "n": null}',
        "{",
    ]
    for encoding in ("utf-8", "gb18030"):
        text = "\n".join(lines) if encoding == "utf-8" else "\n".join(lines)[1:]
        path.write_bytes(text.encode(encoding))
        with DecompressedFile(path) as source:
            count = len(read_ndjson(source, HeaderReader(CATALOGUE, "penalty"), "auto").take(100))
        columns, rows = own(path)
        assert columns == ["uscc", "n", "…", "kinds"]
        assert rows == [
            (1, ["91", "1", "", ""]),
            (2, ["", "", "[1]", ""]),
            (3, ["", "", "", '["罚款"]']),
            (4, ["", "", "{", ""]),
        ]
        assert len(rows) == count


def test_parquet_rows_are_numbered_in_the_files_order(tmp_path: Path) -> None:
    """Values as a person would type them."""
    path = tmp_path / "file.parquet"
    table = pa.table({"uscc": ["91", None], "fine": [1.5, 2.0], "kinds": [["罚款"], []]})
    pq.write_table(table, path)
    columns, rows = own(path)
    assert columns == ["uscc", "fine", "kinds"]
    assert rows == [(1, ["91", "1.5", '["罚款"]']), (2, ["", "2", "[]"])]


def test_workbook_rows_have_the_gateways_numbers(tmp_path: Path) -> None:
    """Below titles and header, without empty rows; hidden sheets are left out."""
    path = tmp_path / "file.xlsx"
    header = ["统一社会信用代码", "", "罚款金额（万元）", "处罚决定日期"]
    with xlsxwriter.Workbook(path) as book:
        hidden, notes, sheet = (book.add_worksheet(each) for each in ("藏", "说明", "表"))
        hidden.write_row(0, 0, header)
        hidden.hide()
        notes.activate()
        notes.write(0, 0, "填表说明")
        sheet.write(1, 1, "处罚信息表")
        sheet.write_row(3, 1, header)
        sheet.write_row(4, 1, ["91", "", 6000, "2026-03-02"])
        sheet.write_row(6, 1, [" ", "\u3000", "", ""])
        sheet.write_row(7, 1, ["92", "", 0.6, "x"])
        sheet.write_boolean(8, 1, True)
        sheet.write_datetime(9, 4, datetime(2026, 3, 2), book.add_format({"num_format": "yyyy"}))  # noqa: DTZ001
    columns, rows = own(path)
    assert columns == header
    assert rows == [
        (1, ["91", "", "6000", "2026-03-02"]),
        (2, ["92", "", "0.6", "x"]),
        (3, ["True", "", "", ""]),
        (4, ["", "", "", "2026-03-02"]),
    ]
    assert own(path, sheet="表")[1] == rows
    with WorkbookFile(path) as source:
        reader = read_workbook(source, _AnyHeader(CATALOGUE, "penalty", ignore_unknown=True), None)
        assert len(reader.take(100)) == len(rows)
    with pytest.raises(UnreadableError):
        own(path, sheet="另一张")


def test_a_sheet_is_never_guessed(tmp_path: Path) -> None:
    """Where two have such a header, one is named."""
    path = tmp_path / "file.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("一", "二"):
            book.add_worksheet(name).write_row(0, 0, ["uscc", name])
    with pytest.raises(UnreadableError, match="several_sheets"):
        own(path)
    assert own(path, sheet="二")[0] == ["uscc", "二"]


@pytest.mark.parametrize(
    "content",
    [
        "案号: document_number\n经办科室: null\n",
        "\ufeff案号: document_number\r\n\r\n# 注释\r\n经办科室:\r\n",
        "'案号（号）': \"document_number\"  # 说明\n",
        '"案:号": 处罚决定书文号\n罚款金额（万元）: fine\n第3列: ~\n',
        "a:b: uscc\nc d: kinds\n",
        '{"案号": "document_number", "经办科室": null}',
    ],
)
def test_a_mapping_of_columns_is_read_as_the_gateway_reads_it(tmp_path: Path, content: str) -> None:
    """JSON, and the lines of YAML that mappings consist of."""
    path = tmp_path / "map.yaml"
    path.write_text(content, encoding="utf-8", newline="")
    assert read_column_map(path) == load_column_map(path)


@pytest.mark.parametrize(
    "content",
    [
        "案号：document_number\n",
        "- a\n",
        "a: [b]\n",
        "a: b\na: c\n",
        "a:\n  b: c\n",
        "",
        "{}x",
        "a\n",
        '{"a": 1}',
    ],
)
def test_another_form_of_mapping_is_refused_by_both(tmp_path: Path, content: str) -> None:
    """Before anything is sent."""
    path = tmp_path / "map.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError):
        read_column_map(path)
    if content:
        with pytest.raises(FileRefused):
            load_column_map(path)


def test_labels_name_the_columns_of_the_uscc() -> None:
    """Those of the catalogue; folded as the gateway folds them."""
    assert json.dumps(uscc_columns()) == json.dumps(["uscc", *CATALOGUE.deliveries.uscc])


@pytest.mark.parametrize(
    "name",
    ["处罚类别", " 处罚\n 类别 ", "\x1b]0;处罚\x07类别", "处\u202e罚", "长" * 90, "\ufeff处罚类别"],
)
def test_a_column_is_named_as_the_gateway_names_it(name: str) -> None:
    """Else the report would not find the cell that is at fault."""
    assert report.shown_name(name) == shown_name(name)
