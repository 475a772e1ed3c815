"""Rows of a workbook (.xlsx, .xls), as the gateway finds and counts them."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from .own_rows import OwnRows, ReadOptions, UnreadableError, open_unpacked
from .text_rows import HEADER_ROWS, find_header, has_text, header_names

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook


def read_workbook(options: ReadOptions, _numbers: Container[int]) -> OwnRows:
    """Rows below the header of a sheet: the named one, or the only visible one that names the USCC."""
    import python_calamine as calamine  # noqa: PLC0415 - an extra

    try:
        with open_unpacked(options.path) as packed:
            workbook = calamine.CalamineWorkbook.from_filelike(BytesIO(packed.read()))
        names = [
            each.name
            for each in workbook.sheets_metadata
            if options.sheet in {None, each.name}
            and (options.sheet or each.visible == calamine.SheetVisibleEnum.Visible)
        ]
        found = [each for each in (_read(workbook, name, options) for name in names) if each]
    except (calamine.CalamineError, OSError, EOFError):
        found = []
    if len(found) != 1:
        raise UnreadableError("several_sheets" if found else "no_header")
    return found[0]


def _read(workbook: CalamineWorkbook, name: str, options: ReadOptions) -> OwnRows | None:
    """Rows of a sheet; None if no row among the first ones names the USCC."""
    rows = filter(has_text, map(_texts, workbook.get_sheet_by_name(name).iter_rows()))
    first = list(islice(rows, HEADER_ROWS))
    titles = find_header(first, options.uscc_names)
    if titles is None:
        return None
    items = chain(first[titles + 1 :], rows)
    return OwnRows(header_names(first[titles]), items, list, workbook.close)


def _texts(row: Sequence[Any]) -> list[str]:
    return [cell_text(each) for each in row]


def cell_text(value: Any) -> str:
    """A cell as a person would type it."""
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0") if math.isfinite(value) else ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(value, date | time):
        return value.isoformat()
    return "" if value is None else str(value)
