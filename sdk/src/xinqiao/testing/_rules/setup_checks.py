"""Checks of a test's set-up: each returns the value, or names it and the nearest right one in its error."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from xinqiao._core.session import is_loopback
from xinqiao._core.wire.dates import CHINA
from xinqiao._core.wire.strict import parse_time
from xinqiao._core.wire.uscc import is_code, normalise

T = TypeVar("T")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_FEW: Final = 8


class FakeSetupError(ValueError):
    """A test's set-up of the fake gateway has a value that the real gateway never has."""


def known(value: object, names: Collection[str], noun: str) -> str:
    """A name of a closed list."""
    if isinstance(value, str) and value in names:
        return value
    likeliest = _nearest(str(value), names)
    hint = f"; the nearest is {likeliest!r}" if likeliest else "; there are none"
    others = f" (of {', '.join(names)})" if 1 < len(names) <= _FEW else ""
    raise FakeSetupError(f"{value!r} is no {noun}{hint}{others}.")


def _nearest(text: str, names: Iterable[str]) -> str | None:
    """The name most like a text, case aside, whatever its likeness."""
    matcher = SequenceMatcher(b=text.lower(), autojunk=False)

    def likeness(name: str) -> float:
        matcher.set_seq1(name.lower())
        return matcher.ratio()

    return max(sorted(names), key=likeness, default=None)


def each_known(values: object, names: Collection[str], noun: str) -> tuple[str, ...]:
    """Names of a closed list, in a list; a text alone is a mistake."""
    return tuple(known(each, names, noun) for each in listed(values, noun))


def listed(values: object, noun: str) -> tuple[Any, ...]:
    """The items of a list; a text alone, or a mapping, is a mistake."""
    if isinstance(values, str):
        raise FakeSetupError(f"Give each {noun} in a list: [{values!r}].")
    if not isinstance(values, Iterable) or isinstance(values, Mapping):
        raise FakeSetupError(f"{values!r} is no list; give each {noun} in one.")
    return tuple(values)


def mapping(value: object, names: Collection[str], noun: str) -> Mapping[str, Any]:
    """A mapping whose keys are names of a closed list."""
    if not isinstance(value, Mapping):
        raise FakeSetupError(f"{value!r} is no mapping, as {noun} is one.")
    for name in value:
        known(name, names, f"member of {noun}")
    return value


def whole(value: object, noun: str, *, least: int, most: int) -> int:
    """A whole number between two others."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    meant = int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value
    near = f"; the nearest is {min(max(meant, least), most)}" if type(meant) is int else ""
    raise FakeSetupError(f"{value!r} is no {noun}: a whole number from {least} to {most}{near}.")


def flag(value: object, noun: str) -> bool:
    """True or False."""
    if isinstance(value, bool):
        return value
    raise FakeSetupError(f"{noun} is True or False, not {value!r}.")


def written(value: object, noun: str) -> str:
    """A text that is not blank."""
    if isinstance(value, str) and value.strip():
        return value
    raise FakeSetupError(f"{value!r} is no {noun}: it is a text that is not blank.")


def identifier(value: object, noun: str) -> str:
    """An id in the wire's form."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise FakeSetupError(f"{value!r} is no {noun}: 1 to 64 of A-Z, a-z, 0-9, _ and -.")


def address(value: object) -> str:
    """A redirect address, as it is registered: https, or http on loopback, without a fragment."""
    parts = urlsplit(value) if isinstance(value, str) and value.isascii() else urlsplit("")
    is_http = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if parts.hostname and not parts.fragment and (parts.scheme == "https" or is_http):
        return str(value)
    raise FakeSetupError(f"{value!r} is no redirect address: such as 'https://bank.test/callback'.")


def credit_code(value: object) -> str:
    """A unified social credit code of an enterprise, normalised."""
    if isinstance(value, str) and is_code(value):
        return normalise(value)
    raise FakeSetupError(
        f"{value!r} is no unified social credit code: 18 characters that begin with 91, 92 or 93, "
        "such as '91330106MA2CXXXX16'."
    )


def moment(value: object, noun: str) -> datetime:
    """A time with its offset."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, datetime):
        near = value.replace(tzinfo=CHINA)
        raise FakeSetupError(f"{value!r} lacks its offset; the nearest {noun} is {near!r}.")
    raise FakeSetupError(f"{value!r} is no {noun}: a datetime with its offset.")


def time_text(value: object, noun: str) -> str:
    """A time as the wire writes it."""
    try:
        parse_time(value)  # type: ignore[arg-type]  # whatever a test gave
    except (ValueError, TypeError, AttributeError):
        near = value.isoformat() if isinstance(value, datetime) else "2026-01-31T09:00:00+08:00"
        raise FakeSetupError(
            f"{value!r} is no {noun}: a text in RFC 3339 with its offset, such as {near!r}."
        ) from None
    assert isinstance(value, str)  # noqa: S101 - parsed
    return value


def optional(check: Callable[[object], T]) -> Callable[[object], T | None]:
    """The same check, of a value that may be None."""
    return lambda value: None if value is None else check(value)
