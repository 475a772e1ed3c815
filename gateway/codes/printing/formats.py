"""Formats of a printed code: paper, what each is for, and its pages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.codes.printing.content import Content
from gateway.codes.printing.drawing import Drawing, Line, Page, Placement
from gateway.codes.printing.layouts import (
    A6,
    A7_LANDSCAPE,
    FACE,
    ROUND,
    beside,
    circular,
    tent_face,
    tent_foot,
    upright,
)
from gateway.codes.printing.typeface import Typeface
from gateway.pages.i18n import Translated

A4: Final = (210.0, 297.0)
A5: Final = (148.0, 210.0)
COLUMNS, ROWS = 2, 4
STICKERS_PER_SHEET: Final = COLUMNS * ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A piece that is printed."""

    key: str
    """Its name in addresses and file names."""
    name: Translated
    paper: Translated
    purpose: Translated
    pages: Callable[[Content, Typeface], Sequence[Page]]


def sheet_pages(contents: Sequence[Content], typeface: Typeface) -> Iterator[Page]:
    """A4 pages of small stickers, eight codes on each."""
    for first in range(0, len(contents), STICKERS_PER_SHEET):
        group = contents[first : first + STICKERS_PER_SHEET]
        yield sheet_page([beside(each, typeface) for each in group])


def sheet_page(drawings: Sequence[Drawing]) -> Page:
    """An A4 page of up to eight small stickers with lines to cut along."""
    width, height = A7_LANDSCAPE
    places = [
        Placement(drawing=each, x=place % COLUMNS * width, y=place // COLUMNS * height)
        for place, each in enumerate(drawings)
    ]
    across = [Line(x=0, y=row * height, to_x=A4[0], to_y=row * height) for row in range(1, ROWS)]
    down = Line(x=width, y=0, to_x=width, to_y=A4[1])
    cuts = Drawing(width=A4[0], height=A4[1], marks=[*across, down])
    return Page(width=A4[0], height=A4[1], placements=[*places, Placement(drawing=cuts)])


def _upright_on(paper: tuple[float, float]) -> Callable[[Content, Typeface], Sequence[Page]]:
    width, height = paper

    def pages(content: Content, typeface: Typeface) -> Sequence[Page]:
        drawing = upright(content, typeface)
        scale = min(width / A6[0], height / A6[1])
        place = Placement(
            drawing=drawing,
            x=(width - A6[0] * scale) / 2,
            y=(height - A6[1] * scale) / 2,
            scale=scale,
        )
        return [Page(width=width, height=height, placements=[place])]

    return pages


def _round(content: Content, typeface: Typeface) -> Sequence[Page]:
    place = Placement(drawing=circular(content, typeface))
    return [Page(width=ROUND, height=ROUND, placements=[place])]


def _tent(content: Content, typeface: Typeface) -> Sequence[Page]:
    """A4, folded in three: the second face stands on its head, the last third is the foot."""
    width, height = FACE
    face = tent_face(content, typeface)
    folds = Drawing(
        width=A4[0],
        height=A4[1],
        marks=[Line(x=0, y=row * height, to_x=width, to_y=row * height) for row in (1, 2)],
    )
    places = [
        Placement(drawing=face, turned=True),
        Placement(drawing=face, y=height),
        Placement(drawing=tent_foot(typeface), y=2 * height),
        Placement(drawing=folds),
    ]
    return [Page(width=A4[0], height=A4[1], placements=places)]


STICKER: Final = Format(
    key="a6",
    name=Translated("贴纸 A6", "Sticker A6"),
    paper=Translated("105 × 148 毫米", "105 × 148 mm"),
    purpose=Translated("贴在店门或收银台", "for the door or the till"),
    pages=_upright_on(A6),
)
FORMATS: Final = (
    STICKER,
    Format(
        key="a5",
        name=Translated("海报 A5", "Poster A5"),
        paper=Translated("148 × 210 毫米", "148 × 210 mm"),
        purpose=Translated("贴在橱窗，一米外可扫", "for the window; is scanned from a metre away"),
        pages=_upright_on(A5),
    ),
    Format(
        key="a4",
        name=Translated("海报 A4", "Poster A4"),
        paper=Translated("210 × 297 毫米", "210 × 297 mm"),
        purpose=Translated("挂在墙上，两米外可扫", "for the wall; is scanned from two metres away"),
        pages=_upright_on(A4),
    ),
    Format(
        key="round",
        name=Translated("圆形贴纸", "Round sticker"),
        paper=Translated("直径 80 毫米", "80 mm across"),
        purpose=Translated(
            "交印刷店模切，贴在玻璃门上", "for a print shop to cut, for glass doors"
        ),
        pages=_round,
    ),
    Format(
        key="tent",
        name=Translated("台卡", "Table tent"),
        paper=Translated("A4 纸，沿虚线折成三面", "A4, folded in three along the dashes"),
        purpose=Translated("立在桌上，两面可看", "stands on a table and is read from both sides"),
        pages=_tent,
    ),
)
BY_KEY: Final = {each.key: each for each in FORMATS}
