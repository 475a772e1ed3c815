"""What `xinqiao curl` does: one call as typed, or the headers for somebody else's call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xinqiao.errors import ConfigurationError

if TYPE_CHECKING:
    from xinqiao import Client, Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A call as it was typed."""

    url: str
    method: str
    content: bytes
    headers: Mapping[str, str]
    scope: str | None

    @classmethod
    def read(
        cls,
        url: str,
        *,
        method: str | None,
        data: str | None,
        headers: list[str],
        scope: str | None,
    ) -> Wanted:
        """Read the arguments in curl's manner."""
        return cls(
            url=url,
            method=method or ("GET" if data is None else "POST"),
            content=_content(data),
            headers=dict(map(_header, headers)),
            scope=scope,
        )


def call(client: Client, wanted: Wanted) -> Evidence:
    """Make the call and return its verified answer, whatever its status."""
    return client.request(
        wanted.method,
        wanted.url,
        content=wanted.content,
        headers=wanted.headers,
        scope=wanted.scope,
    )


def headers(client: Client, wanted: Wanted) -> Mapping[str, str]:
    """Make the headers of one call; the proof in them is good once, for about ten seconds."""
    return client.headers_for(
        wanted.method,
        wanted.url,
        content=wanted.content,
        headers=wanted.headers,
        scope=wanted.scope,
    )


def _content(data: str | None) -> bytes:
    if data is None:
        return b""
    return Path(data[1:]).read_bytes() if data.startswith("@") else data.encode()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise ConfigurationError(f"A header is NAME: VALUE, not {text!r}.")
    return name.strip(), value.strip()
