"""Choice of a workbook's sheet: the one that is named, or the only one whose header is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from python_calamine import CalamineSheet

from gateway.ingest.readers.cells import BLANKS
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.header import HEADER_ROWS, Header, HeaderReader, shown_name
from gateway.ingest.readers.workbook.blank_cells import is_blank
from gateway.ingest.readers.workbook.workbook_file import WorkbookFile

_MOST_NAMED: Final = 10
NO_HEADER: Final = (
    "No sheet of the workbook has a header that can be read.",
    "工作簿中没有可识别表头的工作表。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSheet:
    """A sheet with a header that fits: its name, the header's row, and the places of its columns."""

    name: str
    row: int
    """The header's row, from 0."""
    places: tuple[int, ...]
    """Places of the columns with a name, from 0."""
    header: Header


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unfit:
    """A sheet whose header does not fit; `known` of its cells are columns of the dataset."""

    known: int
    refused: FileRefused


def choose_sheet(book: WorkbookFile, header: HeaderReader, wanted: str | None) -> ChosenSheet:
    """The sheet to read. Raises `FileRefused` if none fits, or two do."""
    if wanted is not None and wanted not in book.sheets:
        names = [shown_name(each) for each in book.sheets[:_MOST_NAMED]]
        raise FileRefused(
            f"The workbook has no sheet {shown_name(wanted)}; it has {', '.join(names)}.",
            f"工作簿中没有名为“{shown_name(wanted)}”的工作表；现有：{'、'.join(names)}。",
        )
    names = book.visible if wanted is None else [wanted]
    found = [_judge(book, name, header) for name in names]
    chosen = [each for each in found if isinstance(each, ChosenSheet)]
    if len(chosen) > 1:
        shown = [shown_name(each.name) for each in chosen[:_MOST_NAMED]]
        raise FileRefused(
            f"Several sheets of the workbook have a header that fits: {', '.join(shown)}. Name one "
            "by --sheet (in an upload: sheet).",
            f"工作簿中有多个表头相符的工作表：{'、'.join(shown)}。请用 --sheet（上传时用 sheet）指定一个。",
        )
    if not chosen:
        unfit = [each for each in found if isinstance(each, _Unfit)]
        raise max(unfit, key=lambda each: each.known).refused if unfit else FileRefused(*NO_HEADER)
    return chosen[0]


def numbered_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[Any]]]:
    """Rows of a sheet with their numbers from 0; each begins with the first used column."""
    return enumerate(sheet.iter_rows())


def first_column(sheet: CalamineSheet) -> int:
    """The first used column of a sheet, from 0."""
    return sheet.start[1] if sheet.start else 0


def _judge(book: WorkbookFile, name: str, reader: HeaderReader) -> ChosenSheet | _Unfit | None:
    """The sheet if its header fits; None if it is empty."""
    sheet = book.sheet(name)
    rows: list[tuple[int, list[str]]] = []
    for number, cells in numbered_rows(sheet):
        if not is_blank(cells):
            rows.append((number, list(map(str, cells))))
        if len(rows) == HEADER_ROWS:
            break
    if not rows:
        return None
    place = reader.find([cells for _, cells in rows]) or 0
    row, cells = rows[place]
    named = [index for index, each in enumerate(cells) if each.strip(BLANKS)]
    names = [cells[each] for each in named]
    begin = first_column(sheet)
    places = tuple(begin + each for each in named)
    try:
        header = reader.read(names, places)
    except FileRefused as refused:
        return _Unfit(known=reader.count_known(names), refused=refused)
    return ChosenSheet(name=name, row=row, places=places, header=header)
