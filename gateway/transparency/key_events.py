"""Signing-key events in the log: `key.published`, `key.in_use`, `key.retired`. Pure.

A leaf is SHA-256(salt ‖ event), the event as canonical JSON (sorted keys, no spaces, UTF-8); both are
public. A key signs only after its publication is in the log.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from gateway.signing.keys import SigningKey

ID_BYTES: Final = 16
RANK: Final = {"key.published": 0, "key.in_use": 1, "key.retired": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """One event of a signing key, and when the gateway recorded it."""

    what: str
    key: SigningKey
    at: datetime

    @property
    def event_id(self) -> str:
        """Derived from event and key, so that several workers write one leaf."""
        digest = hashlib.sha256(f"{self.what} {self.key.kid}".encode()).digest()[:ID_BYTES]
        return f"evt_{base64.b32encode(digest).decode().rstrip('=').lower()}"

    def canonical(self) -> bytes:
        """The bytes that are hashed and published."""
        retired = self.key.retired_at
        event = {
            "event": self.what,
            "kid": self.key.kid,
            "use": self.key.use,
            "jwk": dict(self.key.public),
            "not_before": _utc(self.key.not_before),
            "retired_at": _utc(retired) if retired else None,
            "at": _utc(self.at),
        }
        return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def due_events(keys: Iterable[SigningKey], now: datetime) -> list[KeyEvent]:
    """The events of `keys` up to `now`, in the order in which they enter the log."""
    happened = sorted(
        (
            (moment, RANK[what], key.kid, what, key)
            for key in keys
            for what, moment in _life(key, now)
        ),
        key=lambda each: each[:3],
    )
    return [
        KeyEvent(what=what, key=key, at=now + timedelta(microseconds=place))
        for place, (_, _, _, what, key) in enumerate(happened)
    ]


def leaf_hash(event: bytes, salt: bytes) -> bytes:
    """The leaf hash of an event."""
    return hashlib.sha256(salt + event).digest()


def _life(key: SigningKey, now: datetime) -> Iterator[tuple[str, datetime]]:
    yield "key.published", min(now, key.not_before)
    if key.not_before <= now and (key.retired_at is None or key.not_before < key.retired_at):
        yield "key.in_use", key.not_before
    if key.retired_at is not None and key.retired_at <= now:
        yield "key.retired", key.retired_at


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
