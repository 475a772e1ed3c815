"""Merged cell ranges of a sheet below its header, whose cells reject their rows.

A merged cell has one value for several rows or columns; which of them it is for cannot be told.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any

from gateway.ingest.readers.workbook.blank_cells import is_blank
from gateway.ingest.readers.workbook.limits import MAX_MERGED, damaged, too_many_merged
from gateway.ingest.readers.workbook.unfit_cells import UnfitCell

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last row and column, from 0."""


class MergedCells:
    """Marks the cells of merged ranges that have a value, row by row from above."""

    def __init__(self, ranges: Iterable[Range], header_row: int) -> None:
        below = sorted(each for each in ranges if each[0][0] > header_row)
        if len(below) > MAX_MERGED:
            raise too_many_merged()
        _refuse_overlaps(below)
        self._ahead = deque(below)
        self._active: list[Range] = []

    def mark(self, row: int, cells: list[Any], begin: int) -> None:
        """Mark the merged cells of this row, whose first cell is in the column `begin`."""
        while self._ahead and self._ahead[0][0][0] <= row:
            found = self._ahead.popleft()
            (first_row, column), _ = found
            # One that begins in an empty row has no value.
            place = max(column - begin, 0)
            if first_row == row and not is_blank(cells[place : place + 1]):
                self._active.append(found)
        if not self._active:
            return
        self._active = [each for each in self._active if each[1][0] >= row]
        for (_, first), (_, last) in self._active:
            for column in range(max(first, begin), min(last + 1, begin + len(cells))):
                cells[column - begin] = UnfitCell.MERGED


def _refuse_overlaps(ranges: Iterable[Range]) -> None:
    """Refuse ranges, sorted by their first row, that overlap: Excel and WPS never save such.

    Those of one row thus have no more cells than the row itself.
    """
    active: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []
    for (first_row, first), (last_row, last) in ranges:
        while ends and ends[0][0] < first_row:
            _, column = heappop(ends)
            del active[bisect_left(active, (column,))]
        place = bisect_left(active, (first,))
        after, before = active[place : place + 1], active[max(place - 1, 0) : place]
        overlaps = any(each[0] <= last for each in after) or any(
            each[1] >= first for each in before
        )
        if overlaps or last_row < first_row or last < first:
            raise damaged()
        active.insert(place, (first, last))
        heappush(ends, (last_row, first))
