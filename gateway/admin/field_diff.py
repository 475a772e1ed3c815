"""Diff of two registrations or agreements: a line for each field that differs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.clients.client_details import kids_of
from gateway.clients.terms import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """One line of a diff."""

    what: str
    before: str
    after: str


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[DiffLine, ...]:
    """A line for each field of `after` that differs from `before`."""
    return tuple(
        DiffLine(what=name, before=_text(before.get(name)), after=_text(value))
        for name, value in after.items()
        if _text(before.get(name)) != _text(value)
    )


def _text(value: Any) -> str:  # any field of a client or of an agreement
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(map(str, value))
    if isinstance(value, Mapping) and "keys" in value:
        return f"{', '.join(kids_of(value))}\nsha256 {digest_of(value).hex()[:16]}"
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_inner(each)}" for name, each in value.items())
    return str(value)


def _inner(value: Any) -> str:  # a quota, or one side's signature
    return ", ".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)
