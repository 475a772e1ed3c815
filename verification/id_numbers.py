"""Check character and birthday of personal ID numbers (GB 11643-1999; GA 2102-2023 for foreigners).

18 positions: 1–6 division (a foreigner's: 9, province, country by ISO 3166-1), 7–14 day of birth,
15–17 serial number, 18 check character (ISO 7064, MOD 11-2).
"""

from datetime import date
from operator import mul
from typing import Final

ID_LENGTH: Final = 18
_BIRTHDAY: Final = slice(6, 14)
_WEIGHTS: Final = tuple(2 ** (17 - place) % 11 for place in range(17))
_CHECKS: Final = "10X98765432"
_YEARS: Final = range(1880, 2100)


def id_check_character(first17: str) -> str:
    """The eighteenth character: Σ digit·2^(17−i) mod 11, i from 0, by the standard's table.

    Raises `ValueError` where `first17` is not 17 digits.
    """
    if len(first17) != len(_WEIGHTS):
        raise ValueError("The check character is computed from 17 digits.")
    return _CHECKS[sum(map(mul, map(int, first17), _WEIGHTS)) % 11]


def id_check_agrees(number: str) -> bool:
    """True for 17 digits with their check character."""
    return (
        number[:-1].isascii()
        and number[:-1].isdigit()
        and len(number) == ID_LENGTH
        and id_check_character(number[:-1]) == number[-1]
    )


def birthday_in(number: str) -> date | None:
    """The date at positions 7–14, from 1880 to 2099; `None` if there is none."""
    digits = number[_BIRTHDAY]
    if not (digits.isascii() and digits.isdigit()):
        return None
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return day if day.year in _YEARS else None
