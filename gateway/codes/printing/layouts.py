"""Layouts of printed codes: upright, beside the symbol, and round. Sizes are in millimetres."""

from collections.abc import Sequence
from typing import Final

from gateway.codes import qr
from gateway.codes.printing import content as words
from gateway.codes.printing.content import Content, Wording, wording_of
from gateway.codes.printing.drawing import (
    BRAND,
    INK,
    SOFT,
    WHITE,
    Box,
    Circle,
    Drawing,
    Mark,
    Symbol,
)
from gateway.codes.printing.text_fit import Align, Area, Paragraph, set_text
from gateway.codes.printing.typeface import Typeface
from gateway.pages.i18n import Translated

MIN_MODULE: Final = 0.4
"""Smallest module that a phone reads off paper at arm's length."""
A6: Final = (105.0, 148.0)
A7_LANDSCAPE: Final = (105.0, 74.25)
"""An eighth of A4."""
ROUND: Final = 80.0
FACE: Final = (210.0, 99.0)
"""A third of A4."""
LABEL_HEIGHT: Final = 1.16
"""Height of a one-line label's area, in multiples of its font size."""


class ModulesTooSmallError(ValueError):
    """The address is too long for this size: the symbol's modules would be under 0.4 mm."""


def upright(content: Content, typeface: Typeface) -> Drawing:
    """A sticker of A6, which is the poster too, made larger."""
    said = wording_of(content, typeface)
    set_in = _Setter(typeface)
    width, height = A6
    marks = [
        *set_in.band(Area(x=6, y=6, width=93, height=15), words.TITLE, 6.4, 3.4),
        *set_in.names(said, Area(x=7, y=21.6, width=91, height=18.6), 7.4, 3.5),
        symbol_mark(content, 23.5, 39.6, 58),
        *set_in.phrase(said, Area(x=8, y=98, width=89, height=14.5), 7.2, 3.0),
        *set_in.pair(words.HOW, Area(x=8, y=113.3, width=89, height=8.2), 3.6, 2.7),
        *set_in.pair(words.LICENCE, Area(x=6, y=121.7, width=93, height=8), 3.0, 2.35, soft=True),
        *set_in.contact(content, Area(x=6, y=130.2, width=93, height=8), 4.0, 2.6),
        *set_in.number(content, said, Area(x=6, y=138.6, width=93, height=4), 2.3),
    ]
    return Drawing(width=width, height=height, marks=marks)


def beside(content: Content, typeface: Typeface) -> Drawing:
    """A small sticker, A7 landscape: the words beside the symbol."""
    said = wording_of(content, typeface)
    set_in = _Setter(typeface)
    width, height = A7_LANDSCAPE
    right = Area(x=57, y=0, width=43, height=0)
    marks = [
        *set_in.band_line(Area(x=5, y=5, width=95, height=7.4), words.TITLE, 4.2, 2.8),
        symbol_mark(content, 5.5, 12.6, 49.5),
        *set_in.official(content, Area(x=5, y=61.2, width=50.5, height=7.6), 3.0, 2.3),
        *set_in.names(said, _at(right, 13.2, 14), 5.0, 2.6),
        *set_in.stacked_phrase(said, _at(right, 27.8, 11.6), 5.0, 2.4),
        *set_in.pair(words.HOW, _at(right, 39.9, 8.2), 2.45, 2.05),
        *set_in.pair(words.LICENCE, _at(right, 48.2, 10.6), 2.35, 1.95, soft=True),
        *set_in.text(_complaint(2.9, 2.2), _at(right, 59, 6.4)),
        *set_in.number(content, said, _at(right, 65.6, 3.2), 2.0),
    ]
    return Drawing(width=width, height=height, marks=marks)


def tent_face(content: Content, typeface: Typeface) -> Drawing:
    """One face of a table tent, a third of A4."""
    said = wording_of(content, typeface)
    set_in = _Setter(typeface)
    width, height = FACE
    right = Area(x=92, y=0, width=110, height=0)
    marks = [
        *set_in.band_line(Area(x=8, y=7, width=194, height=11), words.TITLE, 6.4, 4.2),
        symbol_mark(content, 8, 20, 74),
        *set_in.names(said, _at(right, 20, 20), 8.6, 3.8),
        *set_in.phrase(said, _at(right, 41, 15.5), 8.0, 3.0),
        *set_in.pair(words.HOW, _at(right, 57.5, 9.6), 4.0, 3.0),
        *set_in.pair(words.LICENCE, _at(right, 67.4, 11), 3.3, 2.6, soft=True),
        *set_in.contact(content, _at(right, 79, 7.4), 4.0, 2.7),
        *set_in.number(content, said, _at(right, 87.4, 4.6), 2.6),
    ]
    return Drawing(width=width, height=height, marks=marks)


def tent_foot(typeface: Typeface) -> Drawing:
    """The foot of a table tent, with how to fold it."""
    width, height = FACE
    area = Area(x=20, y=10, width=width - 40, height=16)
    return Drawing(
        width=width,
        height=height,
        marks=_Setter(typeface).pair(words.FOLD, area, 4, 3.2, soft=True),
    )


def circular(content: Content, typeface: Typeface) -> Drawing:
    """A round sticker, 80 mm across; the words keep within the circle."""
    said = wording_of(content, typeface)
    set_in = _Setter(typeface)
    centre = ROUND / 2
    marks: list[Mark] = [
        Circle(x=centre, y=centre, radius=centre - 1.4, line=BRAND, line_width=1.6),
        *set_in.text(
            [
                Paragraph(words.TITLE.zh, 3.9, bold=True, colour=BRAND),
                Paragraph(words.TITLE.en, 2.1, colour=SOFT),
            ],
            Area(x=20, y=5, width=40, height=7.4),
        ),
        *set_in.names(said, Area(x=13, y=12.4, width=54, height=7), 3.6, 2.1),
        symbol_mark(content, 22, 18.4, 36),
        *set_in.text(
            [
                Paragraph(f"{words.PHRASE.zh} {said.phrase}", 3.9, bold=True),
                Paragraph(
                    said.note or f"{words.PHRASE.en}: {words.SAME_PHRASE.en}", 2.0, colour=SOFT
                ),
            ],
            Area(x=13, y=53, width=54, height=7.4),
        ),
        *set_in.pair(
            words.LICENCE_SHORT, Area(x=15, y=60.4, width=50, height=5), 2.2, 1.8, soft=True
        ),
        *set_in.text([_host(content, 2.5)], Area(x=18, y=65.3, width=44, height=3.8)),
        *set_in.text(
            [Paragraph(content.number, 1.9, colour=SOFT)],
            Area(x=22, y=69.1, width=36, height=2.4),
        ),
        *set_in.text(
            [Paragraph(f"{' '.join(words.COMPLAINT_SHORT)} 12315", 2.1, bold=True)],
            Area(x=25, y=71.5, width=30, height=2.8),
        ),
    ]
    return Drawing(width=ROUND, height=ROUND, marks=marks)


def symbol_mark(content: Content, x: float, y: float, size: float) -> Symbol:
    """The symbol with its quiet zone; raises `ModulesTooSmallError`."""
    mark = Symbol(x=x, y=y, size=size, matrix=qr.matrix_of(content.address))
    if mark.module < MIN_MODULE:
        raise ModulesTooSmallError(ModulesTooSmallError.__doc__)
    return mark


def _at(column: Area, y: float, height: float) -> Area:
    """The part of a column from `y` on."""
    return Area(x=column.x, y=y, width=column.width, height=height)


class _Setter:
    """Setter of the parts that all layouts have."""

    def __init__(self, typeface: Typeface) -> None:
        self._typeface = typeface

    def text(
        self, paragraphs: Sequence[Paragraph], area: Area, align: Align = "centre"
    ) -> tuple[Mark, ...]:
        """Paragraphs in the middle of an area."""
        return set_text(paragraphs, area, self._typeface, align=align)

    def band(self, area: Area, title: Translated, zh: float, en: float) -> tuple[Mark, ...]:
        """The dark band with the title, English below."""
        title_lines = [
            Paragraph(title.zh, zh, bold=True, colour=WHITE),
            Paragraph(title.en, en, colour=WHITE),
        ]
        return (_filled(area), *self.text(title_lines, area))

    def band_line(self, area: Area, title: Translated, zh: float, en: float) -> tuple[Mark, ...]:
        """The dark band with the title, English beside."""
        half = area.width / 2
        left = Area(x=area.x, y=area.y, width=half, height=area.height)
        right = Area(x=area.x + half, y=area.y, width=half, height=area.height)
        return (
            _filled(area),
            *self.text([Paragraph(title.zh, zh, bold=True, colour=WHITE)], left),
            *self.text([Paragraph(title.en, en, colour=WHITE)], right),
        )

    def names(self, said: Wording, area: Area, sign: float, name: float) -> tuple[Mark, ...]:
        """The sign, and below it the registered name."""
        return self.text(
            [
                Paragraph(said.sign, sign, lines=2, bold=True),
                Paragraph(said.name, name, lines=2, colour=SOFT, gap=0.4),
            ],
            area,
        )

    def phrase(self, said: Wording, area: Area, phrase: float, label: float) -> tuple[Mark, ...]:
        """The check phrase in a frame, with what it is for."""
        label_width = area.width * 0.44
        left = Area(x=area.x + 1, y=area.y, width=label_width, height=area.height)
        right = Area(
            x=area.x + label_width + 1,
            y=area.y,
            width=area.width - label_width - 2,
            height=area.height,
        )
        return (
            _framed(area),
            *self.text(
                [
                    Paragraph(f"{words.PHRASE.zh} {words.PHRASE.en}", label, bold=True),
                    Paragraph(words.SAME_PHRASE.zh, label * 0.8, colour=SOFT),
                    Paragraph(words.SAME_PHRASE.en, label * 0.8, colour=SOFT),
                ],
                left,
            ),
            *self.text([Paragraph(said.phrase, phrase, bold=True)], right),
        )

    def stacked_phrase(
        self, said: Wording, area: Area, phrase: float, label: float
    ) -> tuple[Mark, ...]:
        """The check phrase in a narrow frame."""
        lines = [
            Paragraph(f"{words.PHRASE.zh} {words.PHRASE.en}", label),
            Paragraph(said.phrase, phrase, bold=True),
        ]
        inside = Area(x=area.x + 1, y=area.y + 0.5, width=area.width - 2, height=area.height - 1)
        return (_framed(area), *self.text(lines, inside))

    def pair(
        self, sentence: Translated, area: Area, zh: float, en: float, *, soft: bool = False
    ) -> tuple[Mark, ...]:
        """A sentence in Chinese with its English beneath."""
        colour = SOFT if soft else INK
        return self.text(
            [
                Paragraph(sentence.zh, zh, lines=2, colour=colour),
                Paragraph(sentence.en, en, lines=2, colour=SOFT),
            ],
            area,
        )

    def contact(self, content: Content, area: Area, zh: float, en: float) -> tuple[Mark, ...]:
        """The official domain on the left, and 12315 on the right."""
        half = area.width / 2 - 1
        left = Area(x=area.x, y=area.y, width=half, height=area.height)
        right = Area(x=area.x + half + 2, y=area.y, width=half, height=area.height)
        return (
            *self.official(content, left, zh, en),
            *self.text(_complaint(zh * 0.92, en), right),
        )

    def official(self, content: Content, area: Area, zh: float, en: float) -> tuple[Mark, ...]:
        """The official domain, and beneath it what it is."""
        label = f"{words.DOMAIN.zh} {words.DOMAIN.en}"
        below = en * LABEL_HEIGHT
        above = Area(x=area.x, y=area.y, width=area.width, height=area.height - below)
        beneath = Area(x=area.x, y=area.y + above.height, width=area.width, height=below)
        return (
            *self.text([_host(content, zh)], above),
            *self.text([Paragraph(label, en * 0.9, colour=SOFT)], beneath),
        )

    def number(self, content: Content, said: Wording, area: Area, size: float) -> tuple[Mark, ...]:
        """The code's id, or what its missing characters are."""
        return self.text([Paragraph(said.note or content.number, size, colour=SOFT)], area)


def _host(content: Content, size: float) -> Paragraph:
    """The official domain: on two lines rather than cut, for a false one would look the same."""
    return Paragraph(content.host, size, lines=2, bold=True, colour=BRAND)


def _complaint(zh: float, en: float) -> list[Paragraph]:
    return [
        Paragraph(words.COMPLAINT.zh, zh, bold=True),
        Paragraph(words.COMPLAINT.en, en * 0.9, colour=SOFT),
    ]


def _filled(area: Area) -> Box:
    return Box(x=area.x, y=area.y, width=area.width, height=area.height, fill=BRAND, radius=1.6)


def _framed(area: Area) -> Box:
    return Box(x=area.x, y=area.y, width=area.width, height=area.height, line=BRAND, radius=1.6)
