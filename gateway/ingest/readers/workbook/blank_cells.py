"""Blank cells of a workbook: empty ones, and texts of blanks."""

from collections.abc import Iterable
from typing import Any

from gateway.ingest.readers.cells import BLANKS


def is_blank(cells: Iterable[Any]) -> bool:
    """True if none of the cells has a value."""
    return not any(each.strip(BLANKS) if type(each) is str else True for each in cells)
