"""Reader of a workbook in a process of its own: the file by stdin, its rows as JSON arrays by stdout.

Its memory and time are bounded whatever the file holds; the file is only in its memory. It ends with
`{"end": true}`, or with `{"refused": [English, Chinese]}`.
"""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from gateway.ingest.reader_processes import MAX_WORKBOOK_MEMORY, MAX_WORKBOOK_SECONDS
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.workbook.blank_cells import is_blank
from gateway.ingest.readers.workbook.cell_text import text_of
from gateway.ingest.readers.workbook.merged_cells import MergedCells
from gateway.ingest.readers.workbook.sheet_choice import first_column, numbered_rows
from gateway.ingest.readers.workbook.workbook_file import WorkbookFile
from gateway.verifications.jobs.row_lines import HEADER_ROWS, is_header

_PIECE: Final = 1 << 20
NO_SHEET: Final = (
    "No sheet of the workbook has a header that names 统一社会信用代码 (or uscc).",
    "工作簿中没有表头包含“统一社会信用代码”（或 uscc）的工作表。",
)
TWO_SHEETS: Final = (
    "Several sheets of the workbook name 统一社会信用代码 (or uscc): send one of them by itself.",
    "工作簿中有多个工作表包含“统一社会信用代码”（或 uscc）：请只保留一个。",
)
NO_MEMORY: Final = (
    "The workbook needs more memory than it may take: send it as CSV.",
    "工作簿所需内存过大：请以 CSV 格式上传。",
)


def main() -> None:
    """Read the workbook in stdin and write its rows to stdout."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_WORKBOOK_MEMORY, MAX_WORKBOOK_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_WORKBOOK_SECONDS, MAX_WORKBOOK_SECONDS))
    write = sys.stdout.buffer
    try:
        for cells in read_rows(sys.stdin.buffer):
            write.write(orjson.dumps(cells) + b"\n")
        last: dict[str, Any] = {"end": True}
    except FileRefused as refused:
        last = {"refused": [refused.en, refused.zh]}
    except MemoryError:
        last = {"refused": NO_MEMORY}
    write.write(orjson.dumps(last) + b"\n")
    write.flush()


def read_rows(stdin: BinaryIO) -> Iterator[list[str | None]]:
    """The header and the rows below it; `None` for a cell that cannot be taken as a text."""
    file = os.memfd_create("workbook")
    while piece := stdin.read(_PIECE):
        os.write(file, piece)
    with WorkbookFile(Path(f"/proc/self/fd/{file}")) as book:
        name, row, header = _choose(book)
        sheet, unfit = book.sheet(name), book.scan(name).unfit
        column = first_column(sheet)
        merged = MergedCells(sheet.merged_cell_ranges or [], row)
        yield header
        for number, cells in numbered_rows(sheet):
            for place, each in unfit.get(number, {}).items():
                if column <= place < column + len(cells):
                    cells[place - column] = each
            if number <= row or is_blank(cells):
                continue
            merged.mark(number, cells, column)
            yield list(map(_text, cells))


def _choose(book: WorkbookFile) -> tuple[str, int, list[str | None]]:
    """The only shown sheet whose header names the code's column; its name, the header's row and cells."""
    found: list[tuple[str, int, list[str | None]]] = []
    for name in book.visible:
        seen = 0
        for number, cells in numbered_rows(book.sheet(name)):
            if is_blank(cells):
                continue
            texts = [each if each is not None else "" for each in map(_text, cells)]
            if is_header(texts):
                found.append((name, number, list(texts)))
                break
            seen += 1
            if seen >= HEADER_ROWS:
                break
    if len(found) != 1:
        raise FileRefused(*(TWO_SHEETS if found else NO_SHEET))
    return found[0]


def _text(cell: Any) -> str | None:
    text = text_of(cell)
    return text if isinstance(text, str) else None
