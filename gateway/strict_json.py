"""Strict JSON: a document that two readers could read differently is refused.

RFC 8259 in UTF-8 without a byte order mark, within the limits of RFC 7493: no member twice in one
object, no number beyond 64-bit integers and finite binary64, no half of a surrogate pair. Nested at
most 64 deep.
"""

import json
import math
import re
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 64
_TOO_DEEP: Final = f"nested more than {MAX_DEPTH} deep"
_LONGEST_INTEGER: Final = len(str(-(2**63)))
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class StrictJsonError(ValueError):
    """The document is not strict JSON; the message says why and repeats nothing of it."""


class NotJsonError(StrictJsonError):
    """It is no JSON at all, or not in UTF-8."""


def parse(data: bytes) -> Any:
    """The value of one document; raises `StrictJsonError`."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise NotJsonError(f"not JSON in UTF-8, {error}") from None
    texts = _texts(value, MAX_DEPTH)
    # orjson keeps the last of doubled members. Each text stands between two quotes: if there are as many
    # as the texts that are left need, none was dropped. (A doubled backslash makes that hard to count.)
    quotes = data.count(b'"') - data.count(b'\\"')
    if b"\\\\" in data or quotes != 2 * texts:
        _demand_one_reading(data)
    return value


def holds_nul(data: bytes) -> bool:
    """Whether a text of this document holds U+0000; a backslash before the text `u0000` is none."""
    return b"\\u0000" in data and _NUL.search(data) is not None


def _texts(value: Any, depth: int) -> float:
    """How many texts a value holds, names of members included; NaN where it holds a float."""
    if type(value) is dict:
        texts: float = len(value)
        inner = list(value.values())
    elif type(value) is list:
        texts, inner = 0, value
    else:
        return _texts([value], depth + 1)
    if not depth:
        raise StrictJsonError(_TOO_DEEP)
    kinds = list(map(type, inner))
    texts += kinds.count(str)
    if dict in kinds or list in kinds:
        nested = [each for each in inner if type(each) is dict or type(each) is list]
        texts += sum([_texts(each, depth - 1) for each in nested])
    return math.nan if float in kinds else texts  # it may have been an integer beyond 64 bits


def _object(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        raise StrictJsonError("an object names a member twice")


def _integer(text: str) -> None:
    if len(text) > _LONGEST_INTEGER or not -(2**63) <= int(text) < 2**64:
        raise StrictJsonError("an integer is beyond 64 bits")


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=lambda _: None
)


def _demand_one_reading(data: bytes) -> None:
    """Refuse doubled members and large integers; `data` is JSON, and finite, as orjson has found."""
    try:
        _decoder.decode(data.decode())
    except json.JSONDecodeError as error:
        raise NotJsonError(f"not JSON in UTF-8, {error}") from None
    except RecursionError:  # what a doubled member hid is as deep as orjson goes
        raise StrictJsonError(_TOO_DEEP) from None
