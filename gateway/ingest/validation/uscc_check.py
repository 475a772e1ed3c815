"""USCC check for ingest: an invalid code is rejected, a wrong check character is a warning."""

import re
from collections.abc import Sequence
from typing import Any, Final

from gateway.creditfile.field_problems import ProblemCode
from gateway.ingest.validation.field_parsers import InvalidValue
from verification import CodeProblem, NotACode, enterprise_code, is_id_number_too
from verification.uscc import ALPHABET

_USUAL: Final = re.compile(rf"9[123]\d{{6}}[{ALPHABET}]{{10}}", re.ASCII)
_BIRTH_YEAR: Final = re.compile(r"9[123]\d{4}(?:1[89]|20)\d{9}", re.ASCII)
"""Normalised code with a plausible birth year where a personal ID number has it."""
_LENGTH: Final = 18
_MAX_INPUT: Final = 100
"""Maximum length of input, to bound the cost of normalising."""
# Weighted value of each character at each position (GB 32100); the check character has weight 1.
_WEIGHTED: Final = tuple(
    {ord(character): value * weight % 31 for value, character in enumerate(ALPHABET)}
    for weight in (*(3**place % 31 for place in range(_LENGTH - 1)), 1)
)


def normalise_code(value: object) -> str:
    """The code in canonical form, or `InvalidValue`."""
    if type(value) is not str or len(value) > _MAX_INPUT:
        raise InvalidValue(ProblemCode.NOT_A_USCC)
    if _USUAL.fullmatch(value) and not _BIRTH_YEAR.match(value):
        return value
    code = enterprise_code(value)
    if isinstance(code, NotACode):
        if code.reason is CodeProblem.PERSONAL_NUMBER:
            raise InvalidValue(ProblemCode.PERSONAL_NUMBER)
        raise InvalidValue(ProblemCode.NOT_A_MARKET_ENTITY)
    return code.uscc


def check_character_fits(code: str) -> bool:
    """True if the check character of a well-formed code is right (GB 32100)."""
    return check_characters_fit((code,))


def is_like_an_id_number(code: str) -> bool:
    """True if a well-formed code is also a valid personal ID number."""
    return _BIRTH_YEAR.match(code) is not None and is_id_number_too(code)


def normalise_codes(values: Sequence[Any]) -> Sequence[str]:
    """Codes in canonical form, or `InvalidValue`; ID numbers: see `codes_are_clean`."""
    if set(map(type, values)) == {str} and all(map(_USUAL.fullmatch, values)):
        return values
    return [normalise_code(each) for each in values]


def codes_are_clean(codes: Sequence[str]) -> bool:
    """True if none of these well-formed codes needs a warning."""
    return check_characters_fit(codes) and not any(map(is_like_an_id_number, codes))


def check_characters_fit(codes: Sequence[str]) -> bool:
    """True if all check characters are right, computed position by position."""
    joined = "".join(codes)
    places = (
        joined[place::_LENGTH].translate(_WEIGHTED[place]).encode("latin-1")
        for place in range(_LENGTH)
    )
    return not any(total % len(ALPHABET) for total in map(sum, zip(*places, strict=True)))
