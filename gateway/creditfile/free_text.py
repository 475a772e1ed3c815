"""R5: no personal number leaves in a source's free text, however it was spaced or typed.

Where a number could be a person's, it is masked: a mistyped number is still somebody's, so its
check character is not asked for.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import mul
from typing import Final

from verification.uscc import NotACode, is_market_entity, parse_uscc

ID_NUMBER_MASK: Final = "（身份证号码已隐去）"
ID_LENGTH: Final = 18
PHONE_MASK: Final = "（电话号码已隐去）"

_GAP: Final = r"[\s\u200b-\u200d\ufeff·.\-－—]{0,3}"
# Where tens of digits begin whose NFKC is ASCII: half and full width, and the mathematical ones.
_TENS: Final = (0x30, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)


def _one_of(digits: str) -> str:
    return f"[{''.join(chr(ten + int(each)) for each in digits for ten in _TENS)}]"


# Division, century, year, month, day, serial number, check character. The day stands in the pattern,
# so that a text of nothing but digits is passed over quickly.
_LIKE_AN_ID_NUMBER: Final = re.compile(
    r"(?<!\d)"
    + _GAP.join(
        (
            *[r"\d"] * 6,
            f"(?:{_one_of('1')}{_GAP}{_one_of('89')}|{_one_of('2')}{_GAP}{_one_of('0')})",
            *[r"\d"] * 2,
            rf"(?:{_one_of('0')}{_GAP}\d|{_one_of('1')}{_GAP}{_one_of('012')})",
            _one_of("0123"),
            *[r"\d"] * 4,
            r"[\dXxＸｘ]",
        )
    )
)
_LIKE_A_CODE: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{18}(?![0-9A-Za-z])")
_MOBILE: Final = re.compile(
    rf"(?<!\d)(?:(?:[+＋]|00)?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)".replace(
        "1[3-9]",
        "[1１][3-9３-９]",
    ),
)
_LANDLINE: Final = re.compile(r"(?<!\d)[0０]\d{2,3}\s?[-－—]\s?\d{7,8}(?!\d)")
_A_DIGIT: Final = re.compile(r"\d")
_NOT_PART: Final = re.compile(r"[^0-9X]")
_CENTURIES: Final = range(1880, 2100)
_OF_AGE: Final = 14
_ID_WEIGHTS: Final = tuple(2 ** (17 - place) % 11 for place in range(17))
_ID_CHECKS: Final = "10X98765432"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A text that may be told, and how much was masked in it."""

    text: str
    id_numbers: int = 0
    phones: int = 0


def scan(text: str) -> Scanned:
    """Mask every personal ID number (18 characters) and phone number in `text`."""
    if not _A_DIGIT.search(text):  # most texts, and the rest costs tens of microseconds
        return Scanned(text=text)
    of = scan_for_id_numbers(text)
    masked, mobiles = _MOBILE.subn(PHONE_MASK, of.text)
    masked, landlines = _LANDLINE.subn(PHONE_MASK, masked)
    return Scanned(text=masked, id_numbers=of.id_numbers, phones=mobiles + landlines)


def scan_for_id_numbers(text: str, *, surely_on: date | None = None) -> Scanned:
    """Mask every personal ID number.

    With `surely_on` only those that can hardly be anything else: a number of a permit is made of a
    division and a day too. The check character fits, and its holder is of age on that day.
    """
    if len(text) < ID_LENGTH:
        return Scanned(text=text)
    kept: list[str] = []
    done = at = 0
    while (match := _LIKE_AN_ID_NUMBER.search(text, at)) is not None:
        in_digits = bool(_A_DIGIT.match(text, match.end()))
        if _may_be_a_persons(match[0], is_in_digits=in_digits, surely_on=surely_on):
            kept += (text[done : match.start()], ID_NUMBER_MASK)
            done = at = match.end()
        else:
            at = match.start() + 1  # an ID number may begin inside: "2026 330106 19900101 1234"
    if not kept:
        return Scanned(text=text)
    return Scanned(text="".join((*kept, text[done:])), id_numbers=len(kept) // 2)


def may_hold_id_number(texts: Iterable[str]) -> bool:
    """Whether any of them has something like an ID number in it, seen of all at once: nothing that
    is like one goes over a NUL."""
    return _LIKE_AN_ID_NUMBER.search("\0".join(texts)) is not None


def for_logs(text: str) -> str:
    """`text` without any such number, and without whatever is shaped like an enterprise's code."""
    return _LIKE_A_CODE.sub("(code)", scan(text).text)


def id_check_character(first17: str) -> str:
    """The last character of an ID number (GB 11643): Σ digit·2^(17−i) mod 11, by a table."""
    if len(first17) != len(_ID_WEIGHTS):
        raise ValueError("The check character is computed from 17 digits.")
    total = sum(map(mul, map(int, first17), _ID_WEIGHTS))
    return _ID_CHECKS[total % 11]


def _may_be_a_persons(found: str, *, is_in_digits: bool, surely_on: date | None) -> bool:
    """Where more digits follow at once, it is a longer number, unless it ends in X or fits."""
    number = _NOT_PART.sub("", unicodedata.normalize("NFKC", found).upper())
    if len(number) != ID_LENGTH or not _is_a_day(number[6:14]):
        return False
    if surely_on is not None and int(number[6:10]) > surely_on.year - _OF_AGE:
        return False
    if surely_on is not None or (is_in_digits and number[17] != "X"):
        return _fits(number)
    code = parse_uscc(number)
    is_an_enterprises = not isinstance(code, NotACode) and is_market_entity(code)
    return not is_an_enterprises or _fits(number)


def _fits(number: str) -> bool:
    return id_check_character(number[:17]) == number[17]


def _is_a_day(digits: str) -> bool:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return day.year in _CENTURIES
