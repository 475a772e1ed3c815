"""Stateless DPoP nonces (RFC 9449 §8): a MAC over time slot and generation of the replay store.

A flush of the replay store begins a new generation and voids all nonces, so that a proof used before
the flush cannot be used again after it.
"""

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

SLOT_SECONDS = 60
MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class DpopNonces:
    """Makes and checks nonces under one key that all workers share."""

    key: bytes

    def issue(self, generation: str, now: datetime) -> str:
        """The nonce of the current slot."""
        return _nonce(self.key, _slot(now), generation)

    def generation_of(self, nonce: object, now: datetime) -> str | None:
        """The generation in a valid nonce of the current or previous slot; `None` for any other."""
        if not isinstance(nonce, str) or not nonce.isascii() or nonce.count(".") != 1:
            return None
        generation = nonce.split(".")[0]
        slot = _slot(now)
        fresh = (_nonce(self.key, slot, generation), _nonce(self.key, slot - 1, generation))
        good = [hmac.compare_digest(nonce, candidate) for candidate in fresh]
        return generation if any(good) else None


@lru_cache(maxsize=16)
def _nonce(key: bytes, slot: int, generation: str) -> str:
    """The nonce of a slot; all calls of a minute need the same two."""
    mac = hmac.digest(key, f"{slot} {generation}".encode(), "sha256")[:MAC_BYTES]
    return f"{generation}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // SLOT_SECONDS
