"""Unified social credit codes (GB 32100-2015): what the gateway takes for one, and what it warns of."""

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


def normalised(text: str) -> str:
    """Fold width and case, and take spaces away."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def is_code(text: str) -> bool:
    """Whether the gateway takes it: 18 characters that begin with 91, 92 or 93, no person's number."""
    code = normalised(text)
    return _CODE.fullmatch(code) is not None and (_check_agrees(code) or not _is_a_persons(code))


def warnings_of(text: str) -> list[str]:
    """What the gateway's answer will warn of: a check character that does not fit."""
    return [CHECK_CHARACTER] if is_code(text) and not _check_agrees(normalised(text)) else []


def warn_of(text: str | None) -> None:
    """Log a warning before a code is sent whose last character does not fit the others.

    The code itself is not in it: what was typed may be a person's number.
    """
    code = normalised(text or "")
    if _CODE.fullmatch(code) and not _check_agrees(code):
        _log.warning(
            "The last character of a unified social credit code does not fit the others: look at "
            "what was typed. It is sent all the same."
        )


def _check_agrees(code: str) -> bool:
    total = sum(_ALPHABET.index(each) * 3**place for place, each in enumerate(code[:-1]))
    return _ALPHABET[-total % 31] == code[-1]


def _is_a_persons(code: str) -> bool:
    """Whether a day stands at positions 7–14 and the last character fits as GB 11643 has it."""
    if not code[:-1].isdigit():
        return False
    try:
        born = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    total = sum(int(each) * 2 ** (17 - place) for place, each in enumerate(code[:-1]))
    return 1880 <= born.year < 2100 and _ID_CHECKS[total % 11] == code[-1]  # noqa: PLR2004 - years
