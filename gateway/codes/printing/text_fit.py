"""Text layout: line breaking, shrinking and ellipsis, so that no text leaves its area.

A character that the font has not is drawn as 〓, the printers' mark for a missing type, and returned
to be said beside it; none is an empty box.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from gateway.codes.printing.drawing import INK, Colour, Text
from gateway.codes.printing.typeface import Typeface

MISSING: Final = "〓"
ELLIPSIS: Final = "…"
LEADING: Final = 1.24
"""Distance of baselines, in ems."""
_BASELINE: Final = 0.98
"""Baseline of the first line below the top of a paragraph, in ems: CJK glyphs reach 0.88 above it."""
_SHRINK: Final = 0.94
_WIDER: Final = 1.06
_SMALLEST: Final = 1.5
"""Size in millimetres below which text is cut with an ellipsis instead of made smaller."""
_UNSEEN: Final = re.compile("[\\ufe00-\\ufe0f\\U000e0000-\\U000e0fff]")
"""Variation selectors and tags; controls and bidirectional marks are known by their category."""
_LONGEST: Final = 240
"""Characters that are looked at: no area has room for more."""
_NOT_FIRST: Final = frozenset("，。、；：？！）》」』】〉…·,.;:?!)]}%％”’")
_NOT_LAST: Final = frozenset("（《「『【〈([{“‘")
_LEFT_OPEN: Final = " " + "".join(_NOT_LAST)
_WORDS: Final = re.compile(r"[ -~\u00a0-\u024f]+?(?: +|(?=[^ -~\u00a0-\u024f])|$)|[^ -~]")
_APOSTROPHE: Final = re.compile("(?<=[A-Za-z])\u2019(?=[A-Za-z])")
"""As wide as a Chinese character in a Chinese font; a straight one is not."""
_BLANKS: Final = re.compile(r"\s+")

Align = Literal["left", "centre"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle for text."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text with its largest size in millimetres and most lines; `gap` is the space above it."""

    text: str
    size: float
    _: KW_ONLY
    lines: int = 1
    bold: bool = False
    colour: Colour = INK
    gap: float = 0.0


def printable(
    text: str, typeface: Typeface, *, longest: int = _LONGEST
) -> tuple[str, tuple[str, ...]]:
    """The text as it is drawn, and the characters that the font has not, each once.

    Blanks become single spaces; what has no shape of its own is left out.
    """
    missing: dict[str, None] = {}
    drawn = []
    plain = _APOSTROPHE.sub("'", _BLANKS.sub(" ", text[:longest]).strip())
    for each in plain:
        if unicodedata.category(each) in {"Cc", "Cf"} or _UNSEEN.match(each):
            continue
        if not typeface.has(each):
            missing[each] = None
        drawn.append(each if typeface.has(each) else MISSING)
    return "".join(drawn), tuple(missing)


def set_text(
    paragraphs: Sequence[Paragraph], area: Area, typeface: Typeface, *, align: Align = "centre"
) -> tuple[Text, ...]:
    """Set paragraphs below each other in the middle of an area, all scaled alike so that they fit."""
    return _set_text(tuple(paragraphs), area, typeface, align)


@lru_cache(maxsize=512)  # the same words stand on every sticker
def _set_text(
    paragraphs: tuple[Paragraph, ...], area: Area, typeface: Typeface, align: Align
) -> tuple[Text, ...]:
    said, scale = [each for each in paragraphs if each.text], 1.0
    while True:
        scaled = [each if scale == 1 else replace(each, size=each.size * scale) for each in said]
        broken = [filled_lines(each.text, area.width / each.size, typeface) for each in scaled]
        pairs = list(zip(scaled, broken, strict=True))
        height = sum(each.gap + len(lines) * each.size * LEADING for each, lines in pairs)
        if height <= area.height and all(len(lines) <= each.lines for each, lines in pairs):
            return tuple(_placed(pairs, area, height, typeface, align))
        scale *= _SHRINK
        if min(each.size for each in scaled) * _SHRINK < _SMALLEST:
            shorter = tuple(_cut(each, lines, area.width, typeface) for each, lines in pairs)
            if shorter == tuple(scaled):  # as short as can be
                return tuple(_placed(pairs, area, height, typeface, align))
            return _set_text(shorter, area, typeface, align)


def _cut(paragraph: Paragraph, lines: Sequence[str], width: float, typeface: Typeface) -> Paragraph:
    """The paragraph with a line less, or cut with an ellipsis after its last line if it is too long."""
    most = paragraph.lines if len(lines) > paragraph.lines else max(1, paragraph.lines - 1)
    if len(lines) <= most:
        return replace(paragraph, lines=most)
    *kept, last = lines[:most]
    while last and typeface.width(last + ELLIPSIS) * paragraph.size > width:
        last = last[:-1]
    return replace(paragraph, lines=most, text="".join([*kept, last.rstrip(_LEFT_OPEN), ELLIPSIS]))


def _placed(
    pairs: Sequence[tuple[Paragraph, Sequence[str]]],
    area: Area,
    height: float,
    typeface: Typeface,
    align: Align,
) -> Iterator[Text]:
    top = area.y + (area.height - height) / 2
    for each, lines in pairs:
        top += each.gap
        for line in _balanced(each.text, lines, area.width / each.size, typeface):
            free = area.width - typeface.width(line) * each.size
            yield Text(
                x=area.x + (free / 2 if align == "centre" else 0),
                y=top + _BASELINE * each.size,
                size=each.size,
                text=line,
                colour=each.colour,
                bold=each.bold,
            )
            top += each.size * LEADING


def _balanced(text: str, lines: Sequence[str], width: float, typeface: Typeface) -> Sequence[str]:
    """The text in as many lines, about equally long."""
    most = len(lines)
    if most == 1:
        return lines
    tried = typeface.width(text) / most
    while tried < width:
        balanced = filled_lines(text, tried, typeface)
        if len(balanced) <= most:
            return balanced
        tried *= _WIDER
    return lines


def filled_lines(text: str, width: float, typeface: Typeface) -> list[str]:
    """Lines of at most `width` ems, filled one after the other; a word wider than a line is broken."""
    lines, line, used = [], "", 0.0
    for word in _words(text, width, typeface):
        if line and used + typeface.width(word.rstrip()) > width:
            kept, line = _turn(line, word)
            lines.append(kept.rstrip())
            used = typeface.width(line)
        line += word
        used += typeface.width(word)
    return [*lines, line.rstrip()]


def _words(text: str, width: float, typeface: Typeface) -> Iterator[str]:
    """Latin words with the blanks behind them, and single characters of other scripts."""
    for word in _WORDS.findall(text):
        if len(word) > 1 and typeface.width(word.rstrip()) > width:
            yield from word
        else:
            yield word


def _turn(line: str, word: str) -> tuple[str, str]:
    """The finished line, and what the next one takes of it: no mark begins or ends a line wrongly."""
    place = len(line)
    while place > 1 and (word[0] in _NOT_FIRST or line[place - 1] in _NOT_LAST):
        place -= 1
        word = line[place:]
    return (line, "") if place <= 1 else (line[:place], line[place:])
