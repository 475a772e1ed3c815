"""Strict JSON parsing: refuses documents that two parsers could read differently.

RFC 8259 in UTF-8 without byte order mark, within the limits of RFC 7493: no duplicate members, no
numbers beyond 64-bit integers and finite binary64, no lone surrogates. Nested at most 64 deep.
"""

import json
import math
import re
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 64
TOO_DEEP: Final = f"nested more than {MAX_DEPTH} deep"
MEMBER_TWICE: Final = "an object names a member twice"
INTEGER_TOO_LARGE: Final = "an integer is beyond 64 bits"
_LONGEST_INTEGER: Final = len(str(-(2**63)))
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class StrictJsonError(ValueError):
    """The document is not strict JSON; the message repeats nothing of it."""


class NotJsonError(StrictJsonError):
    """The document is not JSON in UTF-8."""


def parse(data: bytes) -> Any:
    """Parse one document; raises `StrictJsonError`."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotJsonError(f"not JSON in UTF-8, {error}") from None
    if not _is_compact(data, value):
        _demand_members_once(data, value, _STRICT)
    return value


def check_ignoring_numbers(data: bytes) -> None:
    """Check as `parse` does, but allow numbers of any size, NaN and Infinity; raises `StrictJsonError`.

    For documents whose values are validated one by one.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        _demand_one_reading(data, _ANY_NUMBER)
    else:
        _demand_members_once(data, value, _ANY_NUMBER)


def holds_nul(data: bytes) -> bool:
    """True where a string of this document holds U+0000 (not an escaped backslash before `u0000`)."""
    return b"\\u0000" in data and _NUL.search(data) is not None


def _is_compact(data: bytes, value: Any) -> bool:
    """True where `data` is what `value` is written as: nothing was dropped or rounded, or is too deep."""
    openings = data.count(b"{") + data.count(b"[")
    return openings <= MAX_DEPTH and orjson.dumps(value) == data


def _texts(value: Any) -> float:
    """The number of strings in a value, member names included; NaN if it holds a float."""
    texts: float = 0
    nested = [value] if type(value) is dict or type(value) is list else [[value]]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for each in nested:
            if type(each) is dict:
                texts += len(each)
                inner += each.values()
            else:
                inner += each
        kinds = list(map(type, inner))
        texts += kinds.count(str)
        if float in kinds:
            texts = math.nan  # it may have been an integer beyond 64 bits
        if dict not in kinds and list not in kinds:
            return texts
        nested = [each for each in inner if type(each) is dict or type(each) is list]
    raise StrictJsonError(TOO_DEEP)


def _object(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        raise StrictJsonError(MEMBER_TWICE)


def _integer(text: str) -> None:
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= int(text) < 2**64:
        raise StrictJsonError(INTEGER_TOO_LARGE)


def _nothing(_: str) -> None:
    """Discard a number."""


_STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_nothing
)
_ANY_NUMBER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_nothing, parse_float=_nothing, parse_constant=_nothing
)


def _demand_members_once(data: bytes, value: Any, decoder: json.JSONDecoder) -> None:
    """Refuse duplicate members, of which orjson keeps the last.

    Fast path: if the quotes in `data` are twice the strings in `value`, none was dropped. (With an
    escaped backslash they cannot be counted.)
    """
    quotes = data.count(b'"') - data.count(b'\\"')
    if quotes != 2 * _texts(value) or b"\\\\" in data:
        _demand_one_reading(data, decoder)


def _demand_one_reading(data: bytes, decoder: json.JSONDecoder) -> None:
    """Refuse duplicate members, and the numbers that `decoder` refuses."""
    try:
        decoder.decode(data.decode())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NotJsonError(f"not JSON in UTF-8, {error}") from None
    except RecursionError:  # a dropped duplicate may be nested deeper
        raise StrictJsonError(TOO_DEEP) from None
