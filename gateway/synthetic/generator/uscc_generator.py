"""Synthetic USCCs (GB 32100), unique by an enterprise's index in the province."""

import random
from functools import cache
from typing import Final

from verification.uscc import ALPHABET, check_character, organisation_check

_BASE: Final = len(ALPHABET)
_FREE_DIGITS: Final = 6
_ID_SPACE: Final = _BASE**_FREE_DIGITS
_STRIDE: Final = 387_420_489  # coprime to 31, so that neighbours lie far apart and none meet
_CLASSES: Final = {"firm": "1", "individual_business": "2", "farmers_cooperative": "3"}


def make_uscc(index: int, seed: int, kind: str, division: str) -> str:
    """The USCC of the enterprise at `index`, registered by market regulation."""
    left = (index * _STRIDE + _first_number(seed)) % _ID_SPACE
    body = "MA"
    for _ in range(_FREE_DIGITS):
        left, digit = divmod(left, _BASE)
        body += ALPHABET[digit]
    first17 = f"9{_CLASSES[kind]}{division}{body}{organisation_check(body)}"
    return first17 + check_character(first17)


def random_uscc(rng: random.Random, kind: str, division: str) -> str:
    """A USCC of no enterprise of the province but for chance, such as a branch's."""
    body = "MA" + "".join(rng.choice(ALPHABET) for _ in range(_FREE_DIGITS))
    first17 = f"9{_CLASSES[kind]}{division}{body}{organisation_check(body)}"
    return first17 + check_character(first17)


@cache
def _first_number(seed: int) -> int:
    return random.Random(seed).randrange(_ID_SPACE)  # noqa: S311  # no secret


def with_wrong_check_character(code: str) -> str:
    """The same code with a wrong check character."""
    right = ALPHABET.index(code[-1])
    return code[:-1] + ALPHABET[(right + 1) % _BASE]


def authority_uscc(number: int) -> str:
    """The USCC of a made-up authority."""
    body = f"{number:08}"
    first17 = f"11330000{body}{organisation_check(body)}"
    return first17 + check_character(first17)
