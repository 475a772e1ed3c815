"""Whose record it is: a USCC that is ill-formed is refused, a wrong check character is a warning.

A personal ID number can look like a code, but does not begin like a market entity's: it is refused.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from gateway.creditfile.intake.readers import Unfit
from verification.uscc import ALPHABET, normalise_uscc

_WELL_FORMED: Final = re.compile(rf"9[123]\d{{6}}[{ALPHABET}]{{10}}", re.ASCII)
_LENGTH: Final = 18
# What each character adds at each place; the last one stands for itself.
_ADDS: Final = tuple(
    {ord(character): value * weight % 31 for value, character in enumerate(ALPHABET)}
    for weight in (*(3**place % 31 for place in range(_LENGTH - 1)), 1)
)


def read_code(value: object) -> str:
    """The code in its one form, or `Unfit`."""
    if type(value) is not str or len(value) > 100:  # noqa: PLR2004  # what normalising may cost
        raise Unfit("not a unified social credit code")
    if _WELL_FORMED.fullmatch(value):
        return value
    code = normalise_uscc(value)
    if not _WELL_FORMED.fullmatch(code):
        raise Unfit("not a unified social credit code of a market entity")
    return code


def check_agrees(code: str) -> bool:
    """Whether the last character of a well-formed code is the right one (GB 32100)."""
    return checks_agree((code,))


def read_codes(values: Sequence[Any]) -> Sequence[str]:
    """Each in its one form, or `Unfit`."""
    if set(map(type, values)) == {str} and all(map(_WELL_FORMED.fullmatch, values)):
        return values
    return [read_code(each) for each in values]


def checks_agree(codes: Sequence[str]) -> bool:
    """Whether the check characters of all these well-formed codes are right, place by place."""
    joined = "".join(codes)
    places = (joined[at::_LENGTH].translate(_ADDS[at]).encode("latin-1") for at in range(_LENGTH))
    return not any(total % len(ALPHABET) for total in map(sum, zip(*places, strict=True)))
