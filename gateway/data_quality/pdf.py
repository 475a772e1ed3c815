"""The bulletin as PDF (A4), drawn with an embedded font that has Chinese."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from gateway.data_quality.document import Document, ListOf, Section, TableOf
from gateway.data_quality.line_breaks import wrapped
from gateway.pages.chinese_font import face_of

INK: Final = (23, 33, 43)
SOFT: Final = (82, 96, 109)
MARK: Final = (179, 38, 30)
HEAD: Final = (242, 245, 248)
TEXT: Final = 10.5
SMALL: Final = 8.5
_PADDING: Final = 0.5
_LINE: Final = 0.6
"""Millimetres of line height for a point of text."""


class _Sheet(FPDF):
    """A4 pages with their numbers."""

    def footer(self) -> None:
        """Write the page's number."""
        self.set_y(-14)
        self.set_font("zh", size=SMALL)
        self.set_text_color(*SOFT)
        self.cell(0, 6, f"— {self.page_no()} / {{nb}} —", align="C")


def bulletin_pdf(documents: Sequence[Document], font: Path) -> bytes:
    """Draw the documents, each from a new page on."""
    sheet = _Sheet(format="A4")
    sheet.set_title(documents[0].title)
    sheet.set_creator("Xinqiao")
    sheet.set_lang("zh-CN")
    sheet.add_font("zh", fname=font, collection_font_number=face_of(font))
    sheet.set_margins(18, 18)
    sheet.set_auto_page_break(auto=True, margin=20)
    for document in documents:
        sheet.add_page()
        _write(sheet, document.title, 20, align="C")
        sheet.set_draw_color(*MARK)
        sheet.set_line_width(0.8)
        sheet.line(sheet.l_margin, sheet.get_y() + 3, sheet.w - sheet.r_margin, sheet.get_y() + 3)
        sheet.ln(5)
        _write(sheet, document.subtitle, TEXT, colour=SOFT, align="C")
        for section in document.sections:
            _section(sheet, section, indent="　　" if document.language == "zh" else "")
    return bytes(sheet.output())


def _section(sheet: FPDF, section: Section, *, indent: str) -> None:
    sheet.ln(4)
    _keep_together(sheet, 30)
    _write(sheet, section.title, 13)
    for each in section.paragraphs:
        sheet.ln(1)
        _write(sheet, f"{indent}{each}", TEXT)
    if section.table is not None:
        _table(sheet, section.table)
    for listed in section.lists:
        _list(sheet, listed)


def _table(sheet: FPDF, table: TableOf) -> None:
    sheet.ln(2)
    sheet.set_font("zh", size=SMALL)
    sheet.set_text_color(*INK)
    sheet.set_draw_color(215, 222, 229)
    sheet.set_line_width(0.2)
    first_figure = len(table.columns) - table.figures
    aligns = ["RIGHT" if place >= first_figure else "LEFT" for place in range(len(table.columns))]
    widths = _widths(sheet, table)
    with sheet.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=widths,
        headings_style=FontFace(emphasis="", fill_color=HEAD),
        line_height=SMALL * _LINE,
        padding=(1.2, _PADDING),
        text_align=tuple(aligns),
    ) as drawn:
        for row in (table.columns, *table.rows):
            drawn.row([_cell(sheet, *each) for each in zip(row, widths, strict=True)])


def _cell(sheet: FPDF, text: str, width: float) -> str:
    inner = width - 2 * (_PADDING + sheet.c_margin)
    return "\n".join(wrapped(text, inner, sheet.get_string_width))


def _widths(sheet: FPDF, table: TableOf) -> tuple[float, ...]:
    """Widths in millimetres: figures as wide as they need, texts by their share of the rest."""
    first_figure = len(table.columns) - table.figures
    needed = [
        max(map(sheet.get_string_width, _words(table, place)))
        + 2 * (_PADDING + sheet.c_margin)
        + 0.5
        for place in range(len(table.columns))
    ]
    texts = needed[:first_figure]
    rest = sheet.epw - sum(needed[first_figure:])
    return (*(each * rest / sum(texts) for each in texts), *needed[first_figure:])


def _words(table: TableOf, place: int) -> Iterator[str]:
    """Texts of a column that may not be broken: whole cells, single words of headings."""
    yield from table.columns[place].split()
    for row in table.rows:
        yield row[place]


def _list(sheet: FPDF, listed: ListOf) -> None:
    sheet.ln(2)
    _keep_together(sheet, 22)
    _write(sheet, listed.title, TEXT + 0.5)
    for number, entry in enumerate(listed.entries, start=1):
        _keep_together(sheet, 16)
        _entry(sheet, number, *entry)


def _keep_together(sheet: FPDF, height: float) -> None:
    """Begin a page where so much does not fit on this one."""
    if sheet.will_page_break(height):
        sheet.add_page()


def _entry(sheet: FPDF, number: int, found: str, asked: str) -> None:
    _write(sheet, f"{number}. {found}", TEXT)
    _write(sheet, f"    {asked}", TEXT - 1, colour=SOFT)


def _write(
    sheet: FPDF, text: str, size: float, *, colour: tuple[int, int, int] = INK, align: str = "L"
) -> None:
    sheet.set_font("zh", size=size)
    sheet.set_text_color(*colour)
    lines = wrapped(text, sheet.epw - 2 * sheet.c_margin, sheet.get_string_width)
    sheet.multi_cell(
        0, size * _LINE, "\n".join(lines), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT
    )
