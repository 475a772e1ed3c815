"""Workbook support: calamine and what vets a workbook are imported with the first one.

A reader of a text file starts without them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.row_reader import RowReader

if TYPE_CHECKING:
    from gateway.ingest.readers.workbook.workbook_file import WorkbookFile


def open_workbook(path: Path) -> "WorkbookFile":
    """The workbook, vetted. Raises `FileRefused`."""
    from gateway.ingest.readers.workbook import workbook_file  # noqa: PLC0415  # see above

    return workbook_file.WorkbookFile(path)


def read_workbook(source: "WorkbookFile", header: HeaderReader, sheet: str | None) -> RowReader:
    """The rows of one sheet in its order. Raises `FileRefused`."""
    from gateway.ingest.readers.workbook import workbook_reader  # noqa: PLC0415  # see above

    return workbook_reader.read_workbook(source, header, sheet)
