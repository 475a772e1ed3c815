"""Typed access to verified JSON: a missing member is a `ProtocolError`, unknown ones are ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xinqiao.errors import ProtocolError

from .serialization import ReadOnlyDict
from .strict import parse_time

if TYPE_CHECKING:
    from datetime import datetime

    from xinqiao._core.evidence.answer import Evidence


@dataclass(frozen=True, slots=True)
class Reader:
    """A JSON object and its path in the answer."""

    members: Mapping[str, Any]
    where: str

    @classmethod
    def of(cls, value: object, where: str) -> Reader:
        """Wrap a value, which must be an object."""
        if not isinstance(value, Mapping):
            raise ProtocolError(f"In the answer, {where} is not an object.")
        return cls(value, where)

    @classmethod
    def body(cls, evidence: Evidence) -> Reader:
        """Wrap the body of a verified answer."""
        return cls.of(evidence.json(), "the body")

    def text(self, name: str) -> str:
        """Read a required string."""
        value = self.optional_text(name)
        if value is None:
            raise self._lacks(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Read a string that may be missing or null."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        return value

    def optional_integer(self, name: str) -> int | None:
        """Read an integer that may be missing or null."""
        value = self.members.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self._wrong(name, "an integer")
        return value

    def integer(self, name: str) -> int:
        """Read a required integer."""
        value = self.optional_integer(name)
        if value is None:
            raise self._lacks(name)
        return value

    def time(self, name: str) -> datetime:
        """Read a required time with its offset (RFC 3339)."""
        value = self.optional_time(name)
        if value is None:
            raise self._lacks(name)
        return value

    def optional_time(self, name: str) -> datetime | None:
        """Read a time that may be missing or null."""
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            return parse_time(text)
        except ValueError:
            raise self._wrong(name, "a time with an offset") from None

    def object(self, name: str) -> Reader:
        """Read a required object."""
        if self.members.get(name) is None:
            raise self._lacks(name)
        return Reader.of(self.members[name], f"{self.where}.{name}")

    def optional_object(self, name: str) -> Reader | None:
        """Read an object that may be missing or null."""
        return None if self.members.get(name) is None else self.object(name)

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Read a required object as a read-only mapping."""
        return ReadOnlyDict(self.object(name).members)

    def objects(self, name: str) -> Iterator[Reader]:
        """Read a required list of objects."""
        for index, value in enumerate(self._list(name)):
            yield Reader.of(value, f"{self.where}.{name}[{index}]")

    def optional_objects(self, name: str) -> Iterator[Reader]:
        """Read a list of objects that may be missing."""
        yield from () if self.members.get(name) is None else self.objects(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """Read a list of strings that may be missing."""
        if self.members.get(name) is None:
            return ()
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(name, "a list of strings")
        return tuple(values)

    def _list(self, name: str) -> list[Any]:
        value = self.members.get(name)
        if value is None:
            raise self._lacks(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def _lacks(self, name: str) -> ProtocolError:
        return ProtocolError(f"In the answer, {self.where} lacks {name!r}.")

    def _wrong(self, name: str, kind: str) -> ProtocolError:
        return ProtocolError(f"In the answer, {self.where}.{name} is not {kind}.")
