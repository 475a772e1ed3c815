"""Keyed digests (HMAC-SHA-256) of secrets that are only looked up, so that a dump reveals none."""

import hmac
from typing import Literal, get_args

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
    "activity",
    "watch",
]


class KeyedDigests:
    """HMAC-SHA-256 under the installation's secret, with a key for each kind of value."""

    __slots__ = ("_keys",)

    def __init__(self, secret: str) -> None:
        self._keys = {kind: _derived_key(secret.encode(), kind) for kind in get_args(DigestKind)}

    def of(self, kind: DigestKind, value: str | bytes) -> bytes:
        """The 32-byte digest of `value` as a `kind`; another kind gives another digest."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._keys[kind], data, "sha256")

    def key(self, kind: DigestKind) -> bytes:
        """The derived key for one kind of value."""
        return self._keys[kind]


def _derived_key(secret: bytes, kind: str) -> bytes:
    return hmac.digest(secret, b"xinqiao " + kind.encode(), "sha256")
