"""Strict parsers of JSON (I-JSON), Base64, hashes and RFC 3339 times.

They raise `ValueError` for input that two parsers could read differently: a doubled member, an integer
beyond binary64, unused bits of the last Base64 character, digits that are not ASCII.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

#: Nesting of arrays and objects.
MAX_DEPTH: Final = 64
#: Bytes of one document; a gateway's answer has at most a few MiB.
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
    """Parse one JSON document in UTF-8 (RFC 8259 within the limits of RFC 7493)."""
    if len(data) > MAX_SIZE:
        raise ValueError(f"it is longer than {MAX_SIZE} bytes")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
        _check_depth(value)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def same_json(found: object, written: object) -> bool:
    """Type-strict equality of JSON values: 200.0, true and "1" equal neither 200 nor 1."""
    if isinstance(written, Mapping):
        return (
            isinstance(found, Mapping)
            and found.keys() == written.keys()
            and all(same_json(found[name], value) for name, value in written.items())
        )
    if isinstance(written, list | tuple):
        return (
            isinstance(found, list | tuple)
            and len(found) == len(written)
            and all(map(same_json, found, written))
        )
    return type(found) is type(written) and found == written


def holds_json(whole: object, part: object) -> bool:
    """`same_json`, but for members of objects that the part lacks, as an older version wrote it."""
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            name in whole and holds_json(whole[name], value) for name, value in part.items()
        )
    if isinstance(part, list | tuple):
        return (
            isinstance(whole, list | tuple)
            and len(whole) == len(part)
            and all(map(holds_json, whole, part))
        )
    return same_json(part, whole)


def parse_base64(text: str) -> bytes:
    """Decode canonical Base64 (RFC 4648, section 4, with padding)."""
    value = base64.b64decode(text, validate=True)
    if base64.b64encode(value).decode("ascii") != text:
        raise ValueError("this is not the one Base64 text of its bytes")
    return value


def parse_base64url(text: str) -> bytes:
    """Decode canonical base64url (RFC 7515, section 2, without padding)."""
    if not text.isascii():
        raise ValueError("this is not base64url")
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii") != text:
        raise ValueError("this is not the one base64url text of its bytes")
    return value


def parse_hex(text: str) -> bytes:
    """Decode lower-case hexadecimal."""
    if not _HEX.fullmatch(text):
        raise ValueError("this is not lower-case hexadecimal")
    return bytes.fromhex(text)


def parse_sha256(text: str) -> bytes:
    """Decode a SHA-256 in lower-case hexadecimal."""
    value = parse_hex(text)
    if len(value) != _SHA256_SIZE:
        raise ValueError("this is no SHA-256")
    return value


def parse_date(text: str) -> date:
    """Parse a date (RFC 3339)."""
    if not _DATE.fullmatch(text):
        raise ValueError("this is not a day of RFC 3339")
    return date.fromisoformat(text)


def parse_time(text: str) -> datetime:
    """Parse a time with its offset (RFC 3339, without leap seconds)."""
    if not _TIME.fullmatch(text):
        raise ValueError("this is not a time of RFC 3339 with its offset")
    return datetime.fromisoformat(text.upper())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object names a member twice")
    return made


def _integer(text: str) -> int:
    # Longer texts are not parsed: `int` takes time quadratic in their length.
    value = int(text) if len(text) <= len(f"-{MAX_INTEGER}") and text.isascii() else math.inf
    if abs(value) > MAX_INTEGER:
        raise ValueError("an integer is beyond what every reader can hold")
    return int(value)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is beyond what every reader can hold")
    return value


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _check_depth(value: object) -> None:
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
