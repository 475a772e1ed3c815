"""A4 pages under construction: wrapped texts, facts in one or two columns, page numbers.

Sizes are in millimetres. What does not fit a page goes on upon the next, under the name of what goes on.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from gateway.codes.printing.drawing import (
    BRAND,
    INK,
    SOFT,
    Box,
    Colour,
    Drawing,
    Link,
    Mark,
    Page,
    Placement,
    Text,
)
from gateway.codes.printing.text_fit import filled_lines, printable
from gateway.codes.printing.typeface import Typeface
from gateway.pages.i18n import Translated

WIDTH: Final = 210.0
HEIGHT: Final = 297.0
MARGIN: Final = 18.0
INNER: Final = WIDTH - 2 * MARGIN
BOTTOM: Final = 276.0
"""End of the text above the footer."""
LABEL_WIDTH: Final = 56.0
GAP: Final = 4.0
"""Between columns."""
BODY: Final = 3.6
SMALL: Final = 2.8
HEADING: Final = 4.2
LEADING: Final = 1.45
RISE: Final = 0.98
"""Baseline below the top of a line, in ems."""
LONGEST: Final = 20_000
"""Characters of a text that are drawn; the catalogue's longest is shorter."""
TINT: Final[Colour] = (241, 245, 249)
RULE: Final[Colour] = (216, 222, 228)

Fact = tuple[Translated, Translated]
"""A label and a value."""


class Sheet:
    """Pages, with the place of the next line."""

    def __init__(self, typeface: Typeface) -> None:
        self._typeface = typeface
        self._pages: list[list[Mark]] = [[]]
        self.y = MARGIN
        self.running = ""
        """Running title, printed on each continuation page."""
        self.links: list[Link] = []
        """Links on the first page."""

    @property
    def marks(self) -> list[Mark]:
        """The marks of the page."""
        return self._pages[-1]

    def space(self, height: float) -> None:
        """Leave a space."""
        self.y += height

    def keep(self, height: float) -> None:
        """Begin a page where less than this is left; `running` names what goes on."""
        if self.y + height <= BOTTOM:
            return
        self._pages.append([])
        self.y = MARGIN
        if self.running:
            self.line(self.running, MARGIN, self.y, SMALL, SOFT)
            self.y += SMALL * LEADING + 2

    def lines(
        self,
        text: str,
        *,
        size: float,
        x: float = MARGIN,
        width: float = INNER,
        colour: Colour = INK,
        bold: bool = False,
    ) -> None:
        """Add a text, wrapped."""
        for line in self.wrapped(text, size, width):
            self.keep(size * LEADING)
            self.line(line, x, self.y, size, colour, bold=bold)
            self.y += size * LEADING

    def row(self, fact: Fact) -> None:
        """Add a fact with its label at the left, and a rule below."""
        label, value = fact
        width, top_space = INNER - LABEL_WIDTH, 1.0
        is_one_line = self.width_inline(value) <= width
        self.keep((BODY + (0 if is_one_line else BODY + SMALL)) * LEADING + 2 + top_space)
        self.space(top_space)
        page, label_end = self.marks, self._label(label)
        if is_one_line:
            self.labelled(value, MARGIN + LABEL_WIDTH, self.y, BODY, colour=INK)
            self.y += BODY * LEADING
        else:
            self._both(value, x=MARGIN + LABEL_WIDTH, width=width)
        if self.marks is page:
            self.y = max(self.y, label_end)
        self.space(0.6)
        self.rule()

    def facts(self, facts: Iterable[Fact]) -> None:
        """Add facts, each label above its value; short ones two in a row."""
        half = (INNER - GAP) / 2
        waiting: list[Fact] = []
        for each in facts:
            is_short = self._natural_width(each) <= half
            if waiting and (not is_short or len(waiting) == 2):  # noqa: PLR2004  # columns
                self._pair(waiting)
                waiting = []
            if is_short:
                waiting.append(each)
            else:
                self._wide(each)
        if waiting:
            self._pair(waiting)

    def bar(self, title: Translated, right: str, *, room: float = 36) -> None:
        """Add a section's head on a tinted bar, where there is so much room below it."""
        height = 8.0
        self.keep(height + room)
        self.marks.append(Box(x=MARGIN, y=self.y, width=INNER, height=height, fill=TINT))
        self.marks.append(Box(x=MARGIN, y=self.y, width=1.2, height=height, fill=BRAND))
        self.labelled(title, MARGIN + 4, self.y + 1.5, HEADING, colour=INK, bold=True)
        end = WIDTH - MARGIN - 2 - self.width(right, BODY)
        self.line(right, end, self.y + 2, BODY, SOFT)
        self.y += height + 0.6

    def texts(self, title: Translated, texts: Iterable[Translated]) -> None:
        """Add a section of paragraphs."""
        self.space(6)
        self.bar(title, "", room=14)
        self.paragraphs(texts)

    def paragraphs(self, texts: Iterable[Translated]) -> None:
        """Add paragraphs."""
        for each in texts:
            self.space(1.4)
            self._paragraph(each)

    def rule(self) -> None:
        """Add a rule."""
        self.marks.append(_rule_at(self.y))

    def line(
        self, text: str, x: float, top: float, size: float, colour: Colour, *, bold: bool = False
    ) -> None:
        """Write one line anywhere on the page."""
        drawn, base = self._drawn(text), top + RISE * size
        self.marks.append(Text(x=x, y=base, size=size, text=drawn, colour=colour, bold=bold))

    def width(self, text: str, size: float) -> float:
        """Width of a line."""
        return self._typeface.width(self._drawn(text)) * size

    def wrapped(self, text: str, size: float, width: float) -> list[str]:
        """The lines of a text, paragraph by paragraph."""
        paragraphs = filter(None, map(self._drawn, text.splitlines()))
        return [
            line for each in paragraphs for line in filled_lines(each, width / size, self._typeface)
        ]

    def finish(self, footer: str) -> list[Page]:
        """The pages, each with its footer and number."""
        count = len(self._pages)
        for number, marks in enumerate(self._pages, 1):
            self._foot(marks, footer, f"第 {number} 页，共 {count} 页  Page {number} of {count}")
        drawings = [Drawing(width=WIDTH, height=HEIGHT, marks=marks) for marks in self._pages]
        return [
            Page(
                width=WIDTH,
                height=HEIGHT,
                placements=[Placement(drawing=each)],
                links=() if number else self.links,
            )
            for number, each in enumerate(drawings)
        ]

    def _foot(self, marks: list[Mark], left: str, right: str) -> None:
        top = BOTTOM + 6
        marks.append(_rule_at(top))
        end = WIDTH - MARGIN - self.width(right, SMALL)
        for x, text in ((MARGIN, left), (end, right)):
            base = top + 2 + SMALL
            marks.append(Text(x=x, y=base, size=SMALL, text=self._drawn(text), colour=SOFT))

    def _pair(self, facts: Sequence[Fact]) -> None:
        height = (SMALL + BODY) * LEADING
        self.keep(height + 2)
        self.space(1)
        for place, (label, value) in enumerate(facts):
            x = MARGIN + place * (INNER + GAP) / 2
            self.labelled(label, x, self.y, SMALL, colour=SOFT)
            self.labelled(value, x, self.y + SMALL * LEADING, BODY, colour=INK)
        self.y += height + 0.6
        self.rule()

    def _wide(self, fact: Fact) -> None:
        label, value = fact
        self.keep((SMALL + 2 * BODY) * LEADING + 2)
        self.space(1)
        self.labelled(label, MARGIN, self.y, SMALL, colour=SOFT)
        self.y += SMALL * LEADING
        self._both(value)
        self.space(0.6)
        self.rule()

    def _label(self, label: Translated) -> float:
        """Write a row's label, English below where it does not fit beside it; return its end."""
        end = self.y + BODY * LEADING
        if self.width_inline(label) <= LABEL_WIDTH - GAP:
            self.labelled(label, MARGIN, self.y, BODY)
            return end
        self.line(label.zh, MARGIN, self.y, BODY, SOFT)
        self.line(label.en, MARGIN, end, SMALL, SOFT)
        return end + SMALL * LEADING

    def _paragraph(self, text: Translated) -> None:
        """A text in both languages, on one line where it fits."""
        if self.width_inline(text) > INNER:
            self.keep((BODY + SMALL) * LEADING)
            self._both(text)
            return
        self.keep(BODY * LEADING)
        self.labelled(text, MARGIN, self.y, BODY, colour=INK)
        self.y += BODY * LEADING

    def _both(self, text: Translated, *, x: float = MARGIN, width: float = INNER) -> None:
        self.lines(text.zh, size=BODY, x=x, width=width)
        if text.en != text.zh:
            self.lines(text.en, size=SMALL, x=x, width=width, colour=SOFT)

    def labelled(
        self,
        text: Translated,
        x: float,
        top: float,
        size: float,
        *,
        colour: Colour = SOFT,
        bold: bool = False,
    ) -> None:
        """Write Chinese, and small after it English where it differs."""
        self.line(text.zh, x, top, size, colour, bold=bold)
        if text.en != text.zh:
            small = min(size, SMALL) if size > SMALL else SMALL * 0.9
            after = x + self.width(text.zh, size) + 1.6
            self.line(text.en, after, top + (size - small) * RISE, small, SOFT)

    def _natural_width(self, fact: Fact) -> float:
        label, value = fact
        label_width = self.width(label.zh, SMALL) + self.width(label.en, SMALL) + 2
        return max(label_width, self.width_inline(value))

    def width_inline(self, text: Translated) -> float:
        """Width of a text with English behind it."""
        english = self.width(text.en, SMALL) + 2 if text.en != text.zh else 0
        return self.width(text.zh, BODY) + english

    def width_stacked(self, text: Translated) -> float:
        """Width of a text with English below it."""
        return max(self.width(text.zh, BODY), self.width(text.en, SMALL))

    def _drawn(self, text: str) -> str:
        return printable(text, self._typeface, longest=LONGEST)[0]


def _rule_at(y: float) -> Box:
    return Box(x=MARGIN, y=y, width=INNER, height=0.15, fill=RULE)
