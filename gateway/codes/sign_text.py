"""Sign names and labels of codes: normalised, bounded, no hidden characters, no personal numbers. Pure."""

import unicodedata
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.privacy.redaction import holds_personal_number

MAX_SIGN_NAME: Final = 40
MAX_LABEL: Final = 20
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories without a printed form: a printer's font has none, and some reorder a line."""


class TextProblem(StrEnum):
    """Reason why a sign name or label is refused."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    PERSONAL_NUMBER = "personal_number"


def parse_sign_name(typed: str, *, today: date) -> str | TextProblem:
    """The name on a shop sign, of 1 to 40 characters."""
    parsed = _parse(typed, longest=MAX_SIGN_NAME, today=today)
    is_named = isinstance(parsed, TextProblem) or any(each.isalnum() for each in parsed)
    return parsed if is_named else TextProblem.EMPTY


def parse_label(typed: str, *, today: date) -> str | TextProblem:
    """The place of a sticker, of up to 20 characters; may be empty."""
    return _parse(typed, longest=MAX_LABEL, today=today)


def _parse(typed: str, *, longest: int, today: date) -> str | TextProblem:
    if len(typed) > longest * 4:
        return TextProblem.TOO_LONG
    text = unicodedata.normalize("NFC", typed).strip()
    if any(unicodedata.category(each) in _HIDDEN for each in text):
        return TextProblem.CHARACTERS
    text = " ".join(text.split())
    if len(text) > longest:
        return TextProblem.TOO_LONG
    return TextProblem.PERSONAL_NUMBER if holds_personal_number([text], today=today) else text
