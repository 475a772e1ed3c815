"""Table of short records on A4 pages, with its head again on each page."""

from collections.abc import Sequence

from gateway.codes.printing.a4_sheet import (
    BODY,
    BOTTOM,
    GAP,
    HEIGHT,
    INNER,
    LEADING,
    MARGIN,
    SMALL,
    Sheet,
)
from gateway.codes.printing.drawing import INK, SOFT, Colour
from gateway.pages.i18n import Translated


def draw_table(
    sheet: Sheet, heads: Sequence[Translated], rows: Sequence[Sequence[Translated]]
) -> bool:
    """Add a table with a column for each head; `False`, and nothing, where it is too wide."""
    for cell_width in (sheet.width_inline, sheet.width_stacked):
        columns = [
            max(sheet.width_stacked(head), *(cell_width(row[place]) for row in rows))
            for place, head in enumerate(heads)
        ]
        free = INNER - sum(columns)
        if free >= GAP * (len(heads) - 1):
            break
    else:
        return False
    gap = free / len(heads)
    starts = [MARGIN + sum(columns[:place]) + gap * place for place in range(len(heads))]
    _draw_row(sheet, heads, starts, SOFT)
    is_stacked = cell_width == sheet.width_stacked
    for row in rows:
        if sheet.y + 2 * BODY * LEADING > BOTTOM:
            sheet.keep(HEIGHT)
            _draw_row(sheet, heads, starts, SOFT)
        _draw_row(sheet, row, starts, INK, is_stacked=is_stacked)
    return True


def _draw_row(
    sheet: Sheet,
    cells: Sequence[Translated],
    starts: Sequence[float],
    colour: Colour,
    *,
    is_stacked: bool = True,
) -> None:
    sheet.space(0.8)
    for x, each in zip(starts, cells, strict=True):
        if is_stacked:
            sheet.line(each.zh, x, sheet.y, BODY, colour)
            english = each.en if each.en != each.zh else ""
            sheet.line(english, x, sheet.y + BODY * LEADING * 0.9, SMALL, SOFT)
        else:
            sheet.labelled(each, x, sheet.y, BODY, colour=colour)
    sheet.y += (BODY + SMALL * is_stacked) * LEADING
    sheet.space(0.2)
    sheet.rule()
