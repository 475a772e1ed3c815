"""Merged cells of a sheet below its header: no row tells which of them a value is for."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from gateway.ingest.workbook.blank_cells import is_blank
from gateway.ingest.workbook.limits import MAX_MERGED, damaged, too_many_merged
from gateway.ingest.workbook.unfit_cells import UnfitCell

_MOST_IN_A_ROW: Final = 1_000

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last row and column, from 0."""


class MergedCells:
    """Marks the cells of merged ranges that have a value, row by row from above."""

    def __init__(self, ranges: Iterable[Range], header_row: int) -> None:
        below = sorted(each for each in ranges if each[0][0] > header_row)
        if len(below) > MAX_MERGED:
            raise too_many_merged()
        self._ahead = deque(below)
        self._active: list[Range] = []

    def mark(self, row: int, cells: list[Any], begin: int) -> None:
        """Mark the merged cells of this row, whose first cell is in the column `begin`."""
        while self._ahead and self._ahead[0][0][0] <= row:
            found = self._ahead.popleft()
            (first_row, column), _ = found
            # One that begins in an empty row has no value.
            if first_row == row and not is_blank(cells[max(column - begin, 0) :][:1]):
                self._active.append(found)
        if not self._active:
            return
        self._active = [each for each in self._active if each[1][0] >= row]
        if len(self._active) > _MOST_IN_A_ROW:
            raise damaged()
        for (_, first), (_, last) in self._active:
            for column in range(max(first, begin), min(last + 1, begin + len(cells))):
                cells[column - begin] = UnfitCell.MERGED
