"""Whose record it is: a code that is ill-formed is refused, a wrong check character is a warning."""

import re
from collections.abc import Sequence
from typing import Any, Final

from gateway.ingest.field_parsers import InvalidValue
from verification import CodeProblem, NotACode, enterprise_code, is_id_number_too
from verification.uscc import ALPHABET

_USUAL: Final = re.compile(rf"9[123]\d{{6}}[{ALPHABET}]{{10}}", re.ASCII)
_MAY_BE_BORN: Final = re.compile(r"9[123]\d{4}(?:1[89]|20)\d{9}", re.ASCII)
"""In the normal form of a code: with a year where a person's ID number has one."""
_LENGTH: Final = 18
_MOST: Final = 100
"""Characters, for what normalising may cost."""
# What each character adds at each place; the last one stands for itself.
_ADDS: Final = tuple(
    {ord(character): value * weight % 31 for value, character in enumerate(ALPHABET)}
    for weight in (*(3**place % 31 for place in range(_LENGTH - 1)), 1)
)


def read_code(value: object) -> str:
    """The code in its one form, or `InvalidValue`."""
    if type(value) is not str or len(value) > _MOST:
        raise InvalidValue("not a unified social credit code")
    if _USUAL.fullmatch(value) and not _MAY_BE_BORN.match(value):
        return value
    code = enterprise_code(value)
    if isinstance(code, NotACode):
        if code.reason is CodeProblem.PERSONAL_NUMBER:
            raise InvalidValue("a personal ID number, not a unified social credit code")
        raise InvalidValue("not a unified social credit code of a market entity")
    return code.uscc


def check_agrees(code: str) -> bool:
    """Whether the last character of a well-formed code is the right one (GB 32100)."""
    return checks_agree((code,))


def is_like_an_id_number(code: str) -> bool:
    """Whether a well-formed code could be a person's ID number as well."""
    return _MAY_BE_BORN.match(code) is not None and is_id_number_too(code)


def read_codes(values: Sequence[Any]) -> Sequence[str]:
    """Each in its one form, or `InvalidValue`; whether it is a person's, `nothing_to_say` tells."""
    if set(map(type, values)) == {str} and all(map(_USUAL.fullmatch, values)):
        return values
    return [read_code(each) for each in values]


def nothing_to_say(codes: Sequence[str]) -> bool:
    """Whether all these well-formed codes have their check characters, and none is like a person's."""
    return checks_agree(codes) and not any(map(is_like_an_id_number, codes))


def checks_agree(codes: Sequence[str]) -> bool:
    """Whether the check characters of all these well-formed codes are right, place by place."""
    joined = "".join(codes)
    places = (joined[at::_LENGTH].translate(_ADDS[at]).encode("latin-1") for at in range(_LENGTH))
    return not any(total % len(ALPHABET) for total in map(sum, zip(*places, strict=True)))
