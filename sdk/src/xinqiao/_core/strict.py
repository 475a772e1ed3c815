"""Strict readers of JSON, Base64, hashes and times: a text has one meaning for every reader, or none.

All of them raise `ValueError` for what two readers could read differently: a doubled member, a number
that not everybody can hold, bits of a last character that nobody reads, digits that are not ASCII.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

#: Arrays and objects inside one another.
MAX_DEPTH: Final = 64
#: Of one document, in bytes: a gateway's answer has at most a few MiB.
MAX_SIZE: Final = 64 * 1024 * 1024
#: RFC 7493, section 2.2: beyond it readers with binary64 numbers see another integer.
MAX_INTEGER: Final = 2**53 - 1

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")
_SHA256_SIZE: Final = 32


def parse_json(data: bytes) -> Any:
    """Read one JSON document in UTF-8 (RFC 8259 within the limits of RFC 7493)."""
    if len(data) > MAX_SIZE:
        raise ValueError(f"it is longer than {MAX_SIZE} bytes")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_number,
        )
        _demand_shallow(value)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def same(found: object, written: object) -> bool:
    """Tell whether a value is this JSON value: types too, so that 200.0, true and "1" are not 200 or 1."""
    if isinstance(written, Mapping):
        return (
            isinstance(found, Mapping)
            and found.keys() == written.keys()
            and all(same(found[name], value) for name, value in written.items())
        )
    if isinstance(written, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(written)
            and all(map(same, found, written))
        )
    return type(found) is type(written) and found == written


def parse_base64(text: str) -> bytes:
    """Read the one Base64 text of some bytes (RFC 4648, section 4, with padding)."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode("ascii") != text:
        raise ValueError("this is not the one Base64 text of its bytes")
    return value


def parse_base64url(text: str) -> bytes:
    """Read the one base64url text of some bytes (RFC 7515, section 2, without padding)."""
    if not text.isascii():
        raise ValueError("this is not base64url")
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii") != text:
        raise ValueError("this is not the one base64url text of its bytes")
    return value


def parse_hex(text: str) -> bytes:
    """Read bytes in lower-case hexadecimal."""
    if not _HEX.fullmatch(text):
        raise ValueError("this is not lower-case hexadecimal")
    return bytes.fromhex(text)


def parse_sha256(text: str) -> bytes:
    """Read a SHA-256 in lower-case hexadecimal."""
    value = parse_hex(text)
    if len(value) != _SHA256_SIZE:
        raise ValueError("this is no SHA-256")
    return value


def parse_date(text: str) -> date:
    """Read a day (RFC 3339)."""
    if not _DATE.fullmatch(text):
        raise ValueError("this is not a day of RFC 3339")
    return date.fromisoformat(text)


def parse_time(text: str) -> datetime:
    """Read a time with its offset (RFC 3339, without leap seconds)."""
    if not _TIME.fullmatch(text):
        raise ValueError("this is not a time of RFC 3339 with its offset")
    return datetime.fromisoformat(text.upper())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object names a member twice")
    return made


def _integer(text: str) -> int:
    # Longer texts are not even read: `int` takes time by the square of their length.
    value = int(text) if len(text) <= len(f"-{MAX_INTEGER}") and text.isascii() else math.inf
    if abs(value) > MAX_INTEGER:
        raise ValueError("an integer is beyond what every reader can hold")
    return int(value)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is beyond what every reader can hold")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _demand_shallow(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
