"""Signing keys (Ed25519): the key file, its validity dates, the published JWK set.

A key is published before it signs and after it has retired, so that old signatures can be verified. A
ring reloads its changed file, as soon as the log holds the publication of every key. Private keys leave
this module only as signers and never print.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.signing.jwk import (
    new_ed25519_jwk,
    new_p256_jwk,
    public_jwk,
    read_ed25519_private_key,
    thumbprint,
)

log = structlog.get_logger("gateway.keys")

KeyUse = Literal["token", "response", "log"]
KEY_USES: tuple[KeyUse, ...] = ("token", "response", "log")
FileUse = KeyUse | Literal["id_number"]
ID_NUMBER_USE: Final = "id_number"
"""Of keys to which clients encrypt ID numbers (`decryption_keys`), in the same file."""


class KeysUnreadableError(Exception):
    """The file of signing keys is missing or broken."""


class Signer(Protocol):
    """A signer with one Ed25519 key: from a file now, a KMS or HSM later."""

    @property
    def kid(self) -> str:
        """The published key's id."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message` (RFC 8032)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """One signing key with its use and validity dates."""

    kid: str
    use: KeyUse
    not_before: datetime
    retired_at: datetime | None
    public: Mapping[str, str]
    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message` (RFC 8032)."""
        return self.private.sign(message)

    def active(self, now: datetime) -> bool:
        """True where the key may sign at `now`."""
        return self.not_before <= now and (self.retired_at is None or now < self.retired_at)

    def published(self) -> dict[str, Any]:
        """The public JWK with its dates, for the JWK set."""
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


FileStamp = tuple[int, int, int]


class KeyRing:
    """All signing keys, retired and future ones too."""

    def __init__(self, keys: Iterable[SigningKey], *, path: Path | None = None) -> None:
        self._held = tuple(keys)
        self._path = path
        self._stamp = file_stamp(path)
        self._logged: frozenset[str] | None = None

    @classmethod
    def read(cls, path: Path) -> "KeyRing":
        """The keys in the file at `path`, as `new_key_file` writes them."""
        return cls(read_keys(path), path=path)

    @property
    def _keys(self) -> tuple[SigningKey, ...]:
        """The keys of the file, reloaded if it has changed (one `stat`).

        The previous keys stay if the file is broken or, after `only_logged`, has a key not in the log.
        """
        stamp = file_stamp(self._path)
        if self._path is None or stamp is None or stamp == self._stamp:
            return self._held
        try:
            found = read_keys(self._path)
        except KeysUnreadableError as error:
            log.error("signing_keys_unreadable", trouble=str(error))  # noqa: TRY400  # no keys
            found = self._held
        if self._logged is None or self._logged.issuperset(key.kid for key in found):
            self._stamp, self._held = stamp, found
        return self._held

    def newest(self) -> tuple[SigningKey, ...]:
        """The keys of the file now, whether or not they are in the log."""
        held, stamp = self._keys, file_stamp(self._path)
        if self._path is None or stamp is None or stamp == self._stamp:
            return held
        try:
            return read_keys(self._path)
        except KeysUnreadableError:
            return held

    def only_logged(self, kids: Iterable[str]) -> None:
        """Use a changed file only once the log holds the publication of all its keys."""
        self._logged = frozenset(kids)

    def current(self, use: KeyUse, now: datetime) -> SigningKey:
        """The newest key that may sign for `use` at `now`."""
        active = [key for key in self._keys if key.use == use and key.active(now)]
        if not active:
            raise KeysUnreadableError(
                f"No signing key for {use} is active now; look at the dates in XINQIAO_SIGNING_KEYS."
            )
        return max(active, key=lambda key: key.not_before)

    def verifying(self, kid: str, use: KeyUse) -> SigningKey | None:
        """The key `kid`, for verifying signatures made for `use`."""
        return next((key for key in self._keys if key.kid == kid and key.use == use), None)

    def published_for(self, use: KeyUse) -> tuple[Mapping[str, str], ...]:
        """The public JWKs of the file for `use`, whether or not they are in the log."""
        return tuple(key.public for key in self.newest() if key.use == use)

    def published(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) of all public keys, future and retired ones too."""
        return {"keys": [key.published() for key in self._keys]}


def read_keys(path: Path) -> tuple[SigningKey, ...]:
    """The signing keys in the file at `path`; raises `KeysUnreadableError`."""
    try:
        entries = json.loads(path.read_text())["keys"]
        return tuple(_key(entry) for entry in entries if entry["use"] != ID_NUMBER_USE)
    except (OSError, ValueError, KeyError, TypeError):
        raise KeysUnreadableError(
            f"XINQIAO_SIGNING_KEYS names {path}, which cannot be read as a file of signing "
            "keys. Make one with `xinqiao-gateway keys init`."
        ) from None


def new_key(use: FileUse, not_before: datetime) -> dict[str, Any]:
    """A fresh private key as an entry of the key file."""
    jwk = new_p256_jwk(use="enc", alg="ECDH-ES") if use == ID_NUMBER_USE else new_ed25519_jwk()
    return {
        "kid": f"{use}-{not_before:%Y%m%d}-{thumbprint(jwk)[:8]}",
        "use": use,
        "not_before": not_before.isoformat(),
        "retired_at": None,
        "jwk": jwk,
    }


def new_key_file(now: datetime | None = None) -> str:
    """The text of a key file with one key for each use."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    uses: tuple[FileUse, ...] = (*KEY_USES, ID_NUMBER_USE)
    return json.dumps({"keys": [new_key(use, moment) for use in uses]}, indent=1)


def file_stamp(path: Path | None) -> FileStamp | None:
    """Fingerprint of a file's state: modification time, inode, size."""
    try:
        found = os.stat(path) if path else None  # noqa: PTH116  # half the time of Path.stat
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino, found.st_size) if found else None


def _key(entry: Mapping[str, Any]) -> SigningKey:
    private = read_ed25519_private_key(entry["jwk"])
    if entry["use"] not in KEY_USES:
        raise ValueError("not a known use")
    retired = entry.get("retired_at")
    return SigningKey(
        kid=str(entry["kid"]),
        use=entry["use"],
        not_before=datetime.fromisoformat(entry["not_before"]),
        retired_at=datetime.fromisoformat(retired) if retired else None,
        public=public_jwk(private.public_key()),
        private=private,
    )
