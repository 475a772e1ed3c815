"""The unified social credit code (统一社会信用代码): parsing and check characters.

GB 32100-2015, 18 positions: 1 registering department, 2 class, 3–8 division (GB/T 2260), 9–17 the
organisation code (GB 11714-1997, with a check character of its own), 18 check character
(GB/T 17710, modulus 31). Vectors: `vectors/uscc.json`.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from operator import mul
from typing import Final, NewType

from verification.id_numbers import birthday_in, id_check_agrees

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100, in the order of their values: no I, O, S, V, Z."""

_LENGTH: Final = 18
_ENTERPRISES: Final = re.compile(rf"9[123]\d{{6}}[{ALPHABET}]{{10}}", re.ASCII)
_DIVISION: Final = slice(2, 8)
_NO_VALUE: Final = 255
_VALUES: Final = bytes(
    ALPHABET.index(chr(octet)) if chr(octet) in ALPHABET else _NO_VALUE for octet in range(256)
)
"""A translation table: each character's octet to its value."""
_WEIGHTS: Final = tuple(3**place % 31 for place in range(_LENGTH - 1))
_BODY_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_VALUES: Final = {f"{digit}": digit for digit in range(10)} | {
    chr(ord("A") + letter): 10 + letter for letter in range(26)
}
_MARKET_ENTITIES: Final = ("91", "92", "93")

Uscc = NewType("Uscc", str)
"""A code in its normal form, accepted by `parse_uscc` or `enterprise_code`."""


class CodeProblem(StrEnum):
    """The reason why a text is not a code."""

    LENGTH = "length"
    ALPHABET = "alphabet"
    CHECK_CHARACTER = "check_character"
    KIND = "kind"
    """Not of a firm, an individual business or a farmers' cooperative."""
    PERSONAL_NUMBER = "personal_number"
    """A person's ID number (GA 2102-2023: those of foreign permanent residents begin with 9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotACode:
    """A text that is no unified social credit code."""

    reason: CodeProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterpriseCode:
    """A well-formed code of a firm, an individual business or a farmers' cooperative."""

    uscc: Uscc
    check_agrees: bool
    """True where the check character fits; in some codes from before 2016 it is wrong at the source."""


def normalise_uscc(text: str) -> str:
    """A code without full width, lower case and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def parse_uscc(text: str) -> Uscc | NotACode:
    """Parse a valid code of any department; see `is_market_entity`."""
    code = normalise_uscc(text)
    if len(code) != _LENGTH:
        return NotACode(reason=CodeProblem.LENGTH)
    division = code[_DIVISION]
    if not set(code) <= set(ALPHABET) or not (division.isascii() and division.isdigit()):
        return NotACode(reason=CodeProblem.ALPHABET)
    if check_character(code[:-1]) != code[-1]:
        return NotACode(reason=CodeProblem.CHECK_CHARACTER)
    return Uscc(code)


def enterprise_code(text: str) -> EnterpriseCode | NotACode:
    """Parse a well-formed code that begins with 91, 92 or 93; its check character may be wrong.

    Refused as a person's number: a date at positions 7–14 and a check character that fits GB 11643 and
    not GB 32100.
    """
    code = normalise_uscc(text)
    if not _ENTERPRISES.fullmatch(code):
        whole = parse_uscc(code)
        if isinstance(whole, NotACode) and whole.reason is not CodeProblem.CHECK_CHARACTER:
            return whole
        return NotACode(reason=CodeProblem.KIND)
    agrees = check_character(code[:-1]) == code[-1]
    if not agrees and is_id_number_too(code):
        return NotACode(reason=CodeProblem.PERSONAL_NUMBER)
    return EnterpriseCode(uscc=Uscc(code), check_agrees=agrees)


def is_id_number_too(code: str) -> bool:
    """True where a text of 18 characters has the date and check character of an ID number."""
    return birthday_in(code) is not None and id_check_agrees(code)


def check_character(first17: str) -> str:
    """The 18th character: (31 − Σ vᵢ·3ⁱ mod 31) mod 31, i from 0."""
    values = first17.encode("utf-8", "replace").translate(_VALUES)
    if len(values) != _LENGTH - 1 or _NO_VALUE in values:
        message = "The check character is computed from 17 characters of the GB 32100 alphabet."
        raise ValueError(message)
    return ALPHABET[-sum(map(mul, values, _WEIGHTS)) % 31]


def organisation_check(first8: str) -> str:
    """The 9th character of an organisation code: 11 − Σ vᵢ·wᵢ mod 11, 10 as X."""
    if len(first8) != len(_BODY_WEIGHTS) or not (
        first8.isascii() and first8.isalnum() and first8.upper() == first8
    ):
        message = "The organisation check is computed from 8 characters of 0–9 and A–Z."
        raise ValueError(message)
    total = sum(map(mul, map(_BODY_VALUES.__getitem__, first8), _BODY_WEIGHTS))
    return "0123456789X"[-total % 11]


def is_market_entity(code: Uscc) -> bool:
    """True for the code of a firm, an individual business or a farmers' cooperative.

    One in thirty-one personal ID numbers passes the check by chance; none begins like these.
    """
    return code.startswith(_MARKET_ENTITIES)
