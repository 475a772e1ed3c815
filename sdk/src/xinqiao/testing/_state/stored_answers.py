"""Idempotency keys of the fake gateway's client, with the answers stored under them, for 24 hours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import httpx2

from xinqiao.testing._rules.lifetimes import IDEMPOTENCY_KEY

LONGEST_KEY: Final = 128


@dataclass(slots=True, kw_only=True)
class UsedKey:
    """The request that a key stands for, and its answer, if it was a success."""

    path: str
    body: bytes
    at: datetime
    status: int = 0
    content: bytes = b""

    def response(self) -> httpx2.Response:
        """The same bytes again."""
        told = {"Content-Type": "application/json"}
        return httpx2.Response(self.status, content=self.content, headers=told)


@dataclass(slots=True, kw_only=True)
class StoredAnswers:
    """Keys used, for whatever enterprise."""

    used: dict[str, UsedKey] = field(default_factory=dict)

    def pin(self, request: httpx2.Request, when: datetime) -> bool:
        """Pin a call's key to its request; False where it stands for another one."""
        key = key_of(request)
        if key is None:
            return True
        asked, found = (request.url.path, request.content), self.used.get(key)
        if found is None or when - found.at > IDEMPOTENCY_KEY:
            self.used[key] = UsedKey(path=asked[0], body=asked[1], at=when)
            return True
        return (found.path, found.body) == asked

    def find(self, request: httpx2.Request) -> UsedKey | None:
        """The answer stored under a call's key."""
        found = self.used.get(key_of(request) or "")
        return None if found is None or not found.content else found

    def store(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        """Store a success under the call's key, if it has one; returns it."""
        key = key_of(request)
        if key is not None:
            used = self.used[key]
            used.status, used.content = response.status_code, response.content
        return response


def key_of(request: httpx2.Request) -> str | None:
    """The call's `Idempotency-Key`, if it has one."""
    key = request.headers.get("idempotency-key")
    return None if key is None else key.strip().strip('"')


def is_key(text: str) -> bool:
    """True if it is 1 to 128 printable ASCII characters."""
    return 0 < len(text) <= LONGEST_KEY and text.isascii() and text.isprintable()
