"""Keyed digests (HMAC-SHA-256) of secrets that are only looked up, so that a dump reveals none."""

import hashlib
import hmac
from typing import Literal

DigestKind = Literal[
    "session",
    "csrf",
    "request_uri",
    "interaction",
    "code",
    "refresh",
    "nonce",
    "subject",
    "probe",
    "cursor",
    "invitation",
    "consent",
    "pin",
    "receipt",
    "portal_files",
    "enterprise_code",
    "screen_code",
    "screen_view",
    "code_report",
    "surrogate_key",
]


class KeyedDigests:
    """HMAC-SHA-256 under the installation's secret, with a key for each kind of value."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, kind: DigestKind, value: str | bytes) -> bytes:
        """The 32-byte digest of `value` as a `kind`; another kind gives another digest."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.digest(self.key(kind), data, "sha256")

    def key(self, kind: DigestKind) -> bytes:
        """The derived key for one kind of value."""
        return hmac.digest(self._secret, b"xinqiao " + kind.encode(), hashlib.sha256)
