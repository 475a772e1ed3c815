"""Lines of Chinese and English text: broken between Chinese characters, as 标点避头尾 allows. Pure."""

import re
from collections.abc import Callable, Iterator
from typing import Final

_PIECES: Final = re.compile(r" +|[!-~]+|.", re.DOTALL)
"""Blanks, runs of ASCII, single other characters."""
_NEVER_FIRST: Final = frozenset("，。、；：？！）〕》”’…%％·")
_NEVER_LAST: Final = frozenset("（〔《“‘")


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """The text in lines of at most `width`; only a run that is longer by itself exceeds it."""
    lines, line, line_width = [], "", 0.0
    for piece in _unbreakable(text):
        piece_width = measure(piece)
        if line.strip() and line_width + piece_width > width:
            lines.append(line.rstrip(" "))
            line, line_width = "", 0.0
            if piece.isspace():
                continue
        line += piece
        line_width += piece_width
    return [*lines, line.rstrip(" ")]


def _unbreakable(text: str) -> Iterator[str]:
    """Pieces with the punctuation that stays with them."""
    held = ""
    for piece in _PIECES.findall(text):
        starts = held and piece[0] not in _NEVER_FIRST and held[-1] not in _NEVER_LAST
        if starts:
            yield held
            held = ""
        held += piece
    if held:
        yield held
