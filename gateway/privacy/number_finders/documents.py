"""Finds numbers of personal documents (passports, permits, 15-digit ID cards) by a keyword beside them.

They have no check character, so the keyword is required.
"""

import re
from collections.abc import Iterator
from typing import Final

from gateway.privacy.number_finders.keywords import BESIDE, IDENTITY
from verification import NotACode, birthday_in, id_check_agrees, is_market_entity, parse_uscc

_GAP: Final = r"[ \n\-]{0,3}"
_SERVICE: Final = "[\u4e00-\u9fff]{0,3}字?第"
_BEFORE: Final = re.compile(f"(?:{IDENTITY}){BESIDE}{{0,12}}(?=[A-Z0-9]|{_SERVICE})")
_NEXT: Final = re.compile(r"[ \n]?(?:[、,;/]|及|和|与|或)[ \n]?(?=[A-Z0-9])")
_AFTER: Final = re.compile(
    rf"(?<![0-9A-Z])(?:[A-Z]{{1,3}}[0-9]{{6,10}}|[0-9]{{14}}[0-9X])[号號]?的?\(?(?={IDENTITY})"
)
# Eighteen characters, or one less by mistake; and the fifteen of before 1999.
_LONG: Final = re.compile(rf"[0-9](?:{_GAP}[0-9]){{13,16}}{_GAP}[0-9X](?![0-9A-Z])")
# A foreigner's, before 2023: country, place, day of birth, serial number.
_PERMANENT: Final = re.compile(rf"[A-Z]{{3}}{_GAP}[0-9](?:{_GAP}[0-9]){{11}}(?![0-9A-Z])")
_SOLDIERS: Final = re.compile(rf"{_SERVICE}{_GAP}[0-9]{{5,9}}")
_PIECE: Final = re.compile(rf"{_GAP}([0-9A-Z]++)(?![年月日])")
_LETTERS: Final = re.compile("[A-Z]{1,3}")
_LAST: Final = re.compile(r"\([0-9A-Z]\)")
_REISSUED: Final = re.compile(rf"{_GAP}[0-9]{{2}}(?![0-9A-Z年月日])")
_FEWEST_DIGITS: Final = 6
_SHORTEST, _LONGEST = 7, 13


def documents(text: str) -> Iterator[tuple[int, int]]:
    """Spans (start, end exclusive) of document numbers after their keyword, in order."""
    done = 0
    for word in _BEFORE.finditer(text):
        start = word.end()
        while start >= done and (end := _number(text, start)) is not None:
            yield start, end
            done = end
            following = _NEXT.match(text, end)
            if following is None:
                break
            start = following.end()


def documents_named_behind(text: str) -> Iterator[tuple[int, int]]:
    """Spans of document numbers before their keyword: E12345678（护照）."""
    for found in _AFTER.finditer(text):
        number = re.match(r"[0-9A-Z]+", found[0])
        if number is not None:
            yield found.start(), found.start() + number.end()


def _number(text: str, start: int) -> int | None:
    """The end of the document number that begins at `start`, if there is one."""
    for form in (_LONG, _PERMANENT, _SOLDIERS):
        if match := form.match(text, start):
            return None if _is_an_enterprises(match[0]) else match.end()
    return _short(text, start)


def _short(text: str, start: int) -> int | None:
    """The end of a passport or permit number: letters, and six digits or more, in one or more groups."""
    number, end = "", start
    while sum(map(str.isdigit, number)) <= _FEWEST_DIGITS and (piece := _PIECE.match(text, end)):
        if number and not piece[1].isdigit() and not _LETTERS.fullmatch(number):
            break
        number, end = number + piece[1], piece.end()
    if (last := _LAST.match(text, end)) is not None:
        number, end = number + last[0][1], last.end()
    if number[:1] in {"H", "M"} and (again := _REISSUED.match(text, end)):
        number, end = number + again[0].strip(" \n-"), again.end()
    fits = _SHORTEST <= len(number) <= _LONGEST
    return end if fits and sum(map(str.isdigit, number)) >= _FEWEST_DIGITS else None


def _is_an_enterprises(found: str) -> bool:
    number = re.sub(r"[ \n\-]", "", found)
    code = parse_uscc(number)
    if isinstance(code, NotACode) or not is_market_entity(code):
        return False
    return birthday_in(number) is None or not id_check_agrees(number)
