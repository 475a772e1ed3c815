"""Unified social credit codes (GB 32100-2015): format, check character, mistyping warning."""

from __future__ import annotations

import logging
import re
import unicodedata
from datetime import date
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE: Final = re.compile(rf"9[123]\d{{6}}[{_ALPHABET}]{{10}}", re.ASCII)
_ID_CHECKS: Final = "10X98765432"
_log: Final = logging.getLogger("xinqiao")
CHECK_CHARACTER: Final = "check_character"


def normalise(text: str) -> str:
    """Fold width and case, and remove spaces."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def is_code(text: str) -> bool:
    """True if the gateway accepts it: 18 characters beginning with 91, 92 or 93, no person's ID."""
    code = normalise(text)
    return _CODE.fullmatch(code) is not None and (
        _check_character_fits(code) or not _is_person_id(code)
    )


def warnings_of(text: str) -> list[str]:
    """Warnings that the gateway's answer will have: a check character that does not fit."""
    return [CHECK_CHARACTER] if is_code(text) and not _check_character_fits(normalise(text)) else []


def log_mistyped(text: str | None) -> None:
    """Log a warning for a code whose check character does not fit.

    The code itself is not in it: what was typed may be a person's number.
    """
    code = normalise(text or "")
    if _CODE.fullmatch(code) and not _check_character_fits(code):
        _log.warning(
            "The last character of a unified social credit code does not fit the others: look at "
            "what was typed. It is sent all the same."
        )


def _check_character_fits(code: str) -> bool:
    total = sum(_ALPHABET.index(each) * 3**place for place, each in enumerate(code[:-1]))
    return _ALPHABET[-total % 31] == code[-1]


def _is_person_id(code: str) -> bool:
    """True if it is an ID number: a date at positions 7–14 and the check character of GB 11643."""
    if not code[:-1].isdigit():
        return False
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    total = sum(int(each) * 2 ** (17 - place) for place, each in enumerate(code[:-1]))
    return 1880 <= born.year < 2100 and _ID_CHECKS[total % 11] == code[-1]  # noqa: PLR2004 - years
