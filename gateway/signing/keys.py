"""Private keys leave this module only as something that signs. Nothing here prints a key.

A key is published before it signs and stays published after it has retired, so that what it
signed can be verified by date.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

Use = Literal["token", "response", "log"]
USES: tuple[Use, ...] = ("token", "response", "log")


class KeysUnreadableError(Exception):
    """The file of signing keys is missing or broken."""


class Signer(Protocol):
    """Whatever can sign with one Ed25519 key: a file's key now, a KMS or HSM later."""

    @property
    def kid(self) -> str:
        """The published key's id."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message` (RFC 8032)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One key with its use and its dates."""

    kid: str
    use: Use
    not_before: datetime
    retired_at: datetime | None
    public: Mapping[str, str]
    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message` (RFC 8032)."""
        return self.private.sign(message)

    def active(self, now: datetime) -> bool:
        """Whether the key may sign at `now`."""
        return self.not_before <= now and (self.retired_at is None or now < self.retired_at)

    def published(self) -> dict[str, Any]:
        """The public key as it stands in the JWK set, with its dates."""
        dates = {"not_before": self.not_before.isoformat()}
        if self.retired_at is not None:
            dates["retired_at"] = self.retired_at.isoformat()
        return {
            **self.public,
            "kid": self.kid,
            "use": "sig",
            "alg": "EdDSA",
            "xinqiao_use": self.use,
            **dates,
        }


class KeyRing:
    """All signing keys, past and coming ones too."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def read(cls, path: Path) -> "KeyRing":
        """The keys in the file at `path`, as `new_key_file` writes them."""
        try:
            entries = json.loads(path.read_text())["keys"]
            return cls(_key(entry) for entry in entries)
        except (OSError, ValueError, KeyError, TypeError):
            raise KeysUnreadableError(
                f"XINQIAO_SIGNING_KEYS names {path}, which cannot be read as a file of signing "
                "keys. Make one with `xinqiao-gateway keys init`.",
            ) from None

    def current(self, use: Use, now: datetime) -> SigningKey:
        """The newest key that may sign for `use` at `now`."""
        active = [key for key in self._keys if key.use == use and key.active(now)]
        if not active:
            raise KeysUnreadableError(
                f"No signing key for {use} is active now; look at the dates in XINQIAO_SIGNING_KEYS."
            )
        return max(active, key=lambda key: key.not_before)

    def verifying(self, kid: str, use: Use) -> SigningKey | None:
        """The key `kid`, for verifying what was signed for `use`."""
        return next((key for key in self._keys if key.kid == kid and key.use == use), None)

    def published(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) of every public key, coming and retired ones too."""
        return {"keys": [key.published() for key in self._keys]}


def new_key(use: Use, not_before: datetime) -> dict[str, Any]:
    """A fresh private key as an entry of the key file."""
    jwk = OKPKey.generate_key("Ed25519")
    return {
        "kid": f"{use}-{not_before:%Y%m%d}-{jwk.thumbprint()[:8]}",
        "use": use,
        "not_before": not_before.isoformat(),
        "retired_at": None,
        "jwk": jwk.as_dict(private=True),
    }


def new_key_file(now: datetime | None = None) -> str:
    """The text of a key file with one key for each use."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    return json.dumps({"keys": [new_key(use, moment) for use in USES]}, indent=1)


def _key(entry: Mapping[str, Any]) -> SigningKey:
    jwk = OKPKey.import_key(entry["jwk"])
    private = jwk.private_key
    if not isinstance(private, Ed25519PrivateKey) or entry["use"] not in USES:
        raise TypeError("not an Ed25519 private key with a known use")
    retired = entry.get("retired_at")
    return SigningKey(
        kid=str(entry["kid"]),
        use=entry["use"],
        not_before=datetime.fromisoformat(entry["not_before"]),
        retired_at=datetime.fromisoformat(retired) if retired else None,
        public={
            name: str(value)
            for name, value in jwk.as_dict(private=False).items()
            if name in {"kty", "crv", "x"}
        },
        private=private,
    )
