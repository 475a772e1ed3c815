"""Workbook of the rows that were rejected or warned of: reasons beside the department's own cells.

Every cell but the row's number is written as text, never as a formula or a link. The file has mode 0600.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from rich.cells import cell_len

from xinqiao.cli._language import Language
from xinqiao.cli._terminal import plain

from .own_rows import OwnRows, UnreadableError
from .row_notes import RowNote
from .texts import text

if TYPE_CHECKING:
    from pathlib import Path

Notes = Mapping[int, Sequence[RowNote]]
"""Entries by row number."""
MAX_ROWS: Final = 100_000
"""Rows on one sheet."""
_LONGEST_CELL: Final = 32_767  # characters, Excel's limit
_LONGEST_NAME: Final = 40  # characters of a column's name as the gateway repeats it
_NARROWEST, _WIDEST = 6, 44  # widths of columns, in characters
_MEASURED_ROWS: Final = 500
_UNWRITABLE: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Content of the report: rejected rows and warnings, in one language."""

    rejected: Notes
    warned: Notes
    language: Language
    most_rows: int = MAX_ROWS

    @property
    def numbers(self) -> AbstractSet[int]:
        """Numbers of the rows in it."""
        return self.rejected.keys() | self.warned.keys()


def write_report(
    path: Path, told: Report, own: OwnRows | None, *, rows: int | None, overwrite: bool
) -> None:
    """Write the workbook. `UnreadableError` if `own` has not as many rows as the gateway counted.

    What `overwrite` allows to replace stays until the new one is whole.
    """
    target = path.with_name(f"{path.name}.{token_hex(4)}.part") if overwrite else path
    try:
        with open(target, "xb", opener=_open_private) as file:
            _write(file, told, own)
        if own is not None and rows is not None and own.count != rows:
            raise UnreadableError("rows_differ")
        if overwrite:
            target.replace(path)
    except FileExistsError:
        raise
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(file: BinaryIO, told: Report, own: OwnRows | None) -> None:
    from xlsxwriter import Workbook  # noqa: PLC0415 - an extra

    columns = [] if own is None else own.columns
    numbers = told.numbers
    with Workbook(file, _OPTIONS) as workbook:
        sheets = [
            _Sheet(workbook, name, told, columns)
            for name, notes in (("rejected_rows", told.rejected), ("warned_rows", told.warned))
            if notes
        ]
        found: Iterable[tuple[int, Sequence[str]]] = (
            ((number, ()) for number in sorted(numbers)) if own is None else own.select(numbers)
        )
        for number, cells in found:
            for sheet in sheets:
                sheet.write(number, cells)
        for sheet in sheets:
            sheet.finish()


class _Sheet:
    """One sheet: row, column, reason and accepted values, then the department's own columns."""

    def __init__(self, workbook: Any, name: str, told: Report, columns: Sequence[str]) -> None:
        is_warning = name == "warned_rows"
        self._notes = told.warned if is_warning else told.rejected
        self._language, self._most_rows = told.language, told.most_rows
        self._places = {shown_name(each): place for place, each in enumerate(columns)}
        plain = {"num_format": "@", "valign": "top"}
        wrapped = plain | {"text_wrap": True}
        heads = ["row", "column", "note" if is_warning else "reason"]
        heads += [] if is_warning else ["accepted"]
        self._own_from = len(heads)
        self._plain, self._wrapped = workbook.add_format(plain), workbook.add_format(wrapped)
        marked = ("#FFEB9C", "#7F6000") if is_warning else ("#FFC7CE", "#9C0006")
        self._marked = workbook.add_format(plain | {"bg_color": marked[0], "font_color": marked[1]})
        ours = workbook.add_format(plain | {"bold": True, "bg_color": "#D9E1F2", "bottom": 1})
        theirs = workbook.add_format(plain | {"bold": True, "bg_color": "#EDEDED", "bottom": 1})
        self._sheet = workbook.add_worksheet(text(name, told.language))
        self._widths: dict[int, int] = {}
        self._row = 0
        for place, head in enumerate(heads):
            self._put(place, text(f"head_{head}", told.language), ours)
        for place, column in enumerate(columns, start=self._own_from):
            self._put(place, column, theirs)
        self._sheet.freeze_panes(1, 1)

    def write(self, number: int, cells: Sequence[str]) -> None:
        """Write a row of the file, if it has entries; beyond `most_rows` it is left out."""
        notes = self._notes.get(number)
        if notes is None or self._row == self._most_rows:
            return
        self._row += 1
        self._sheet.write_number(self._row, 0, number, self._plain)
        columns = list(dict.fromkeys(each.column for each in notes if each.column))
        self._put(1, "\n".join(columns), self._wrapped)
        self._put(2, _listed(notes, "reason", self._language), self._wrapped)
        if self._own_from > 3:  # noqa: PLR2004 - a column of accepted values
            self._put(3, _listed(notes, "accepted", self._language), self._wrapped)
        bad = {self._places.get(each.column) for each in notes}
        for place, cell in enumerate(cells):
            self._put(place + self._own_from, cell, self._marked if place in bad else self._plain)

    def finish(self) -> None:
        """Set the widths and the filter, for which all rows must be known."""
        for place, width in self._widths.items():
            self._sheet.set_column(place, place, min(max(width + 2, _NARROWEST), _WIDEST))
        self._sheet.autofilter(0, 0, self._row, max(self._widths))

    def _put(self, place: int, value: str, form: Any) -> None:
        shown = _UNWRITABLE.sub("\ufffd", value)
        if len(shown) > _LONGEST_CELL:
            shown = shown[: _LONGEST_CELL - 1] + "…"
        if shown:
            self._sheet.write_string(self._row, place, shown, form)
        else:
            self._sheet.write_blank(self._row, place, None, form)
        if self._row <= _MEASURED_ROWS:
            width = max(map(cell_len, shown[:200].split("\n")))
            self._widths[place] = max(width, self._widths.get(place, 0))


def shown_name(name: str) -> str:
    """A column's name as the gateway repeats it: short, in one line of plain text."""
    return plain(" ".join(name.split()))[:_LONGEST_NAME]


def _listed(notes: Sequence[RowNote], name: str, language: Language) -> str:
    """Texts of the entries, one below the other; with their columns where there are several."""
    told = dict.fromkeys((each.column, getattr(each, name)) for each in notes)
    lines = [(column, said) for column, said in told if said]
    if len({column for column, _ in told}) == 1:
        return "\n".join(said for _, said in lines)
    colon = "：" if language is Language.ZH else ": "
    return "\n".join(f"{column}{colon}{said}" if column else said for column, said in lines)
