"""Finds personal ID numbers of 18 characters, however they are grouped."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from verification import NotACode, birthday_in, id_check_agrees, is_market_entity, parse_uscc
from verification.id_numbers import ID_LENGTH

OF_AGE: Final = 14
"""Years. A number with a later birthday may be a case's or a permit's."""

# Eight: the cells of a table stand apart.
_GAP: Final = r"[ \n\-.,、/:;+#%$!?。_*~()]{0,8}"
# The birthday is in the pattern, so that texts of digits only are skipped quickly.
_NUMBER: Final = re.compile(
    r"(?<![0-9])"
    + _GAP.join(
        (
            *["[0-9]"] * 6,
            f"(?:1{_GAP}[89]|2{_GAP}0)",
            *["[0-9]"] * 2,
            f"(?:0{_GAP}[1-9]|1{_GAP}[012])",
            "[0123]",
            *["[0-9]"] * 4,
            "[0-9X]",
        )
    )
)
_LONGER: Final = re.compile(rf"(?<![0-9])[0-9]{{{ID_LENGTH},}}[0-9X]")
"""A longer number, which may end in an ID number."""
_MARKS: Final = re.compile(r"[^0-9X \n\-]")
_NOT_PART: Final = re.compile(r"[^0-9X]")
_PROVINCE: Final = re.compile(
    r"9?(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])", re.ASCII
)


def id_numbers(text: str, *, today: date | None) -> Iterator[tuple[int, int]]:
    """Spans (start, end exclusive) of ID numbers.

    Spaces and dashes may separate digits; other marks only if the check character fits. Without `today`
    no birthday counts as recent.
    """
    place = 0
    while (match := _NUMBER.search(text, place)) is not None:
        in_digits = text[match.end() : match.end() + 1].isdigit()
        if _is_a_persons(match[0], in_digits=in_digits, today=today):
            yield match.span()
            place = match.end()
        else:
            place = match.start() + 1  # one may begin inside: "2026 330106 19900101 1234"


def id_numbers_behind_digits(text: str, *, today: date | None) -> Iterator[tuple[int, int]]:
    """Spans of ID numbers at the end of a longer number, if the check character fits."""
    for longer in _LONGER.finditer(text):
        number = longer[0][-ID_LENGTH:]
        if id_check_agrees(number) and is_id_number(number, today=today):
            yield longer.end() - ID_LENGTH, longer.end()


def is_id_number(number: str, *, today: date | None) -> bool:
    """True if 18 characters are a person's ID number, mistyped ones included."""
    born = birthday_in(number)
    if born is None:
        return False
    if id_check_agrees(number):
        return True
    code = parse_uscc(number)
    if not isinstance(code, NotACode) and is_market_entity(code):
        return False
    return _is_of_age(born, today) and _PROVINCE.match(number) is not None


def _is_a_persons(found: str, *, in_digits: bool, today: date | None) -> bool:
    """True if a match is an ID number; with more digits after it, only if it ends in X or fits its check."""
    number = _NOT_PART.sub("", found)
    if len(number) != ID_LENGTH or not is_id_number(number, today=today):
        return False
    certain_only = _MARKS.search(found) or (in_digits and number[-1] != "X")
    return not certain_only or id_check_agrees(number)


def _is_of_age(born: date, today: date | None) -> bool:
    if today is None:
        return True
    return (born.year + OF_AGE, born.month, born.day) <= (today.year, today.month, today.day)
