"""Extent of a sheet: the rectangle of its cells and the bytes of their texts, within the limits."""

from dataclasses import dataclass, field

from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.workbook.limits import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_TEXT_BYTES,
    MAX_UNFIT,
    too_large,
)
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell


@dataclass(slots=True)
class Extent:
    """Rectangle of the cells of a sheet with a value, and the bytes of their texts."""

    text: int = 0
    first_row: int = MAX_ROWS
    last_row: int = -1
    first_column: int = MAX_COLUMNS
    last_column: int = -1

    def add(self, row: int, column: int) -> None:
        """Widen it by a cell, counted from 0. `FileRefused` where it becomes too large."""
        if self.first_row <= row <= self.last_row and (
            self.first_column <= column <= self.last_column
        ):
            return
        self.first_row, self.last_row = min(self.first_row, row), max(self.last_row, row)
        self.first_column = min(self.first_column, column)
        self.last_column = max(self.last_column, column)
        if self.cells > MAX_CELLS:
            raise too_large()

    def add_text(self, length: int) -> None:
        """Count a text. `FileRefused` where there is too much of it."""
        self.text += length
        if self.text > MAX_TEXT_BYTES:
            raise too_large()

    @property
    def cells(self) -> int:
        """Cells of the rectangle, empty ones too."""
        if self.last_row < 0:
            return 0
        height, width = self.last_row - self.first_row, self.last_column - self.first_column
        return (height + 1) * (width + 1)


@dataclass(slots=True)
class SheetScan:
    """Extent of a sheet, and its cells without a value that can be told, by row and column from 0."""

    extent: Extent = field(default_factory=Extent)
    unfit: dict[int, dict[int, UnfitCell]] = field(default_factory=dict)
    _marks: int = 0

    def mark(self, row: int, column: int, cell: UnfitCell) -> None:
        """Note a cell whose value cannot be told. `FileRefused` where there are too many."""
        self.unfit.setdefault(row, {})[column] = cell
        self._marks += 1
        if self._marks > MAX_UNFIT:
            raise FileRefused(
                f"More than {MAX_UNFIT:,} cells are errors or formulas without a value: save the "
                "workbook in Excel or WPS and look at it.",
                f"超过 {MAX_UNFIT:,} 个单元格为错误值或未计算的公式：请用 Excel 或 WPS 打开检查并重新保存。",
            )
