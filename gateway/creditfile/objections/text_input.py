"""What people write is bounded, has no hidden characters, and holds no personal number (R5)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.privacy.redaction import Masking, scan

LONGEST: Final = 1_500
LONGEST_WISH: Final = 500
SHORTEST: Final = 2

# Direction marks could show a text other than it is; the rest of the controls nobody types.
_DIRECTIONS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_MANY_LINES: Final = re.compile(r"\n{3,}")


class InvalidText(StrEnum):
    """Why a text is not taken."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidText:
    """A text as it is kept, and where in what was typed personal numbers were masked."""

    text: str
    maskings: tuple[Masking, ...] = ()

    @property
    def masked(self) -> int:
        """How many."""
        return len(self.maskings)


def read_text(
    typed: str, *, today: date, longest: int = LONGEST, shortest: int = SHORTEST
) -> ValidText | InvalidText:
    """What was typed, as it may be kept."""
    if len(typed) > longest * 2:  # line ends are sent as two characters
        return InvalidText.TOO_LONG
    scanned = scan(typed.replace("\0", "\x01"), today=today)  # a number goes on over either
    lines = scanned.text.replace("\r\n", "\n").replace("\r", "\n")
    shown = "".join(each for each in lines if each == "\n" or not _hidden(each))
    text = _MANY_LINES.sub("\n\n", shown).strip()
    if len(text) > longest:
        return InvalidText.TOO_LONG
    if len(text) < shortest:
        return InvalidText.TOO_SHORT
    return ValidText(text=text, maskings=scanned.maskings)


def _hidden(character: str) -> bool:
    return character in _DIRECTIONS or unicodedata.category(character) in {"Cc", "Cs"}
