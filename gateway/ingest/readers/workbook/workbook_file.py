"""Excel workbook opened by calamine, after it has been vetted; holds one sheet at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetVisibleEnum,
)

from gateway.ingest.readers.decompression import FileRefused, is_packed, open_regular_file
from gateway.ingest.readers.workbook.biff_scan import scan_xls
from gateway.ingest.readers.workbook.compound_file import SIGNATURE
from gateway.ingest.readers.workbook.extent import SheetScan
from gateway.ingest.readers.workbook.limits import (
    MAX_XLS_BYTES,
    damaged,
    not_a_workbook,
    protected,
    too_large_file,
)
from gateway.ingest.readers.workbook.xlsx_scan import scan_xlsx

_ZIP: Final = b"PK\x03\x04"


class WorkbookFile:
    """A workbook, .xlsx or .xls by its content, and how far it has been read."""

    def __init__(self, path: Path) -> None:
        self.raw = open_regular_file(path)
        self.size = self.raw.seek(0, 2)
        self.unpacked = 0
        """Characters of the rows read so far."""
        self.position = 0
        """The part of the file that has been read, in bytes."""
        scans = self._scan()
        self.raw.seek(0)
        with _errors_as_refusal():
            self._book = CalamineWorkbook.from_filelike(self.raw)
            sheets = self._book.sheets_metadata
        names = [each.name for each in sheets]
        if len(scans) != len(names) or len(set(names)) < len(names):
            raise damaged()
        found = zip(names, scans, strict=True)
        self._scans = {name: scan for name, scan in found if scan is not None}
        self.sheets = list(self._scans)
        """Names of the sheets that have cells."""
        hidden = {each.name for each in sheets if each.visible != SheetVisibleEnum.Visible}
        self.visible = [each for each in self.sheets if each not in hidden]
        """Names of those that are shown."""
        self._opened: CalamineSheet | None = None

    def scan(self, name: str) -> SheetScan:
        """The scan of a sheet."""
        scan = self._scans.get(name)
        if scan is None:
            raise damaged()
        return scan

    def sheet(self, name: str) -> CalamineSheet:
        """A sheet of cells; the one opened before is given up."""
        if self._opened is None or self._opened.name != name:
            self._opened = None
            with _errors_as_refusal():
                self._opened = self._book.get_sheet_by_name(name)
        return self._opened

    def read_to(self, share: float, cells: list[Any]) -> None:
        """Note that a row was read, and the share of the sheet that has been read."""
        self.position = int(self.size * share)
        self.unpacked += sum(len(each) for each in cells if isinstance(each, str))

    def _scan(self) -> list[SheetScan | None]:
        """The scan of each sheet, in their order; None for one that has no cells."""
        self.raw.seek(0)
        head = self.raw.read(len(SIGNATURE))
        if head.startswith(_ZIP):
            return scan_xlsx(self.raw, self.size)
        if head == SIGNATURE:
            if self.size > MAX_XLS_BYTES:
                raise too_large_file(MAX_XLS_BYTES)
            self.raw.seek(0)
            return scan_xls(self.raw.read())
        if is_packed(head):
            raise FileRefused(
                "The workbook is packed by gzip or zstd: deliver it as it is, it is packed already.",
                "工作簿又经 gzip 或 zstd 压缩：请直接报送，工作簿本身已压缩。",
            )
        raise not_a_workbook()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()


@contextmanager
def _errors_as_refusal() -> Iterator[None]:
    try:
        yield
    except PasswordError:
        raise protected() from None
    except (CalamineError, ValueError, OverflowError, OSError):
        raise damaged() from None
