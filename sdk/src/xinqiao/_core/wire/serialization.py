"""Serialisation of results: read-only mappings that can be pickled, `to_dict` for JSON, canonical JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ReadOnlyDict(dict[K, V]):
    """A dict without its changing methods; unlike `MappingProxyType`, it is pickled and copied."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("A result is read-only; change a copy, dict(…).")

    if not TYPE_CHECKING:  # to a type checker it is a Mapping, which has none of these
        __setitem__ = __delitem__ = __ior__ = _refuse
        clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[K, V]]]:
        return type(self), (dict(self),)


class Serializable:
    """Base of the results: dataclasses whose public fields `to_dict` turns into JSON values."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The result as a JSON object: times in RFC 3339; personal values included."""
        named = fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        return json_object({each.name: getattr(self, each.name) for each in named})


def json_object(members: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values of these members; whatever has a `to_dict` is written by it."""
    return {name: _json_value(value) for name, value in members.items()}


def _json_value(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return json_object(value)
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in value]
    return value


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """RFC 8785: of texts, integers, booleans and nulls under ASCII names."""
    return compact_json(value, sort_keys=True)


def compact_json(value: Mapping[str, Any], *, sort_keys: bool = False) -> bytes:
    """JSON without blanks and with no escape that is not needed, in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=sort_keys, separators=(",", ":"))
    return text.encode("utf-8")
