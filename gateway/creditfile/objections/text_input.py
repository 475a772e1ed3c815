"""Sanitising of free text: length limits, no control characters, personal numbers masked (R5)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.privacy.redaction import Masking, scan

MAX_TEXT: Final = 1_500
MAX_WISH: Final = 500
MIN_TEXT: Final = 2

# Bidirectional control characters, which can disguise a text.
_DIRECTIONS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_MANY_LINES: Final = re.compile(r"\n{3,}")


class InvalidText(StrEnum):
    """Why a text is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidText:
    """Sanitised text, with the positions of masked numbers in the input."""

    text: str
    maskings: tuple[Masking, ...] = ()

    @property
    def masked(self) -> int:
        """Number of masked personal numbers."""
        return len(self.maskings)


def read_text(
    typed: str, *, today: date, longest: int = MAX_TEXT, shortest: int = MIN_TEXT
) -> ValidText | InvalidText:
    """Sanitise `typed`."""
    if len(typed) > longest * 2:  # line ends are sent as two characters
        return InvalidText.TOO_LONG
    scanned = scan(
        typed.replace("\0", "\x01"), today=today
    )  # keeps positions and does not split a number
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
