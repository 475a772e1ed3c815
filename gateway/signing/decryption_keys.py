"""Decryption keys (P-256), to which clients encrypt ID numbers: beside the signing keys in their file.

One key is published at a time. A retired one still opens what was encrypted to it for a week: clients may
have remembered it, and jobs wait.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.signing.jwe import ALGORITHM
from gateway.signing.jwk import public_jwk, read_p256_private_key
from gateway.signing.keys import ID_NUMBER_USE, KeysUnreadableError, file_stamp

log = structlog.get_logger("gateway.keys")

GRACE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecryptionKey:
    """One key with its dates."""

    kid: str
    not_before: datetime
    retired_at: datetime | None
    private: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def use(self) -> str:
        """The use of its entry in the key file."""
        return ID_NUMBER_USE

    def active(self, now: datetime) -> bool:
        """True where clients should encrypt to it at `now`."""
        return self.not_before <= now and (self.retired_at is None or now < self.retired_at)

    def opens(self, now: datetime) -> bool:
        """True where what was encrypted to it is still taken at `now`."""
        return self.not_before <= now and (self.retired_at is None or now < self.retired_at + GRACE)

    def published(self) -> dict[str, Any]:
        """The public JWK."""
        return {
            **public_jwk(self.private.public_key()),
            "kid": self.kid,
            "use": "enc",
            "alg": ALGORITHM,
            "xinqiao_use": ID_NUMBER_USE,
            "not_before": self.not_before.isoformat(),
        }


class DecryptionKeys:
    """The decryption keys of a key file, reloaded when it has changed."""

    def __init__(self, keys: Iterable[DecryptionKey], *, path: Path | None = None) -> None:
        self._held = tuple(keys)
        self._path = path
        self._stamp = file_stamp(path)

    @classmethod
    def read(cls, path: Path) -> "DecryptionKeys":
        """The keys in the file at `path`; a file of before has none."""
        return cls(read_decryption_keys(path), path=path)

    def published(self, now: datetime) -> list[dict[str, Any]]:
        """The public JWK of the key in use, if there is one."""
        active = [key for key in self._keys if key.active(now)]
        return [max(active, key=lambda key: key.not_before).published()] if active else []

    def find(self, kid: str, now: datetime) -> ec.EllipticCurvePrivateKey | None:
        """The private key of this `kid`, while it opens."""
        return next((key.private for key in self._keys if key.kid == kid and key.opens(now)), None)

    @property
    def _keys(self) -> tuple[DecryptionKey, ...]:
        stamp = file_stamp(self._path)
        if self._path is not None and stamp is not None and stamp != self._stamp:
            try:
                self._held = read_decryption_keys(self._path)
            except KeysUnreadableError as error:
                log.error("decryption_keys_unreadable", trouble=str(error))  # noqa: TRY400  # no keys
            self._stamp = stamp
        return self._held


def read_decryption_keys(path: Path) -> tuple[DecryptionKey, ...]:
    """The decryption keys in the file at `path`; raises `KeysUnreadableError`."""
    try:
        entries = json.loads(path.read_text())["keys"]
        return tuple(_key(each) for each in entries if each["use"] == ID_NUMBER_USE)
    except (OSError, ValueError, KeyError, TypeError):
        raise KeysUnreadableError(
            f"{path} has a decryption key that cannot be read; restore the file."
        ) from None


def _key(entry: Mapping[str, Any]) -> DecryptionKey:
    retired = entry.get("retired_at")
    return DecryptionKey(
        kid=str(entry["kid"]),
        not_before=datetime.fromisoformat(entry["not_before"]),
        retired_at=datetime.fromisoformat(retired) if retired else None,
        private=read_p256_private_key(entry["jwk"]),
    )
