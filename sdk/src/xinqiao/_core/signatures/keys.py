"""The gateway's public keys from its JWK set: Ed25519 response keys with validity, log keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from xinqiao._core.wire.serialization import ReadOnlyDict
from xinqiao._core.wire.strict import MAX_SIZE, parse_base64url, parse_json, parse_time
from xinqiao.errors import ConfigurationError, EvidenceUnreadable

#: A JWK or JWK set as a mapping, or the path of a file that holds one; of a private key also its text.
Jwks: TypeAlias = Mapping[str, Any] | str | Path

#: A text that begins so is JSON, no path.
_JSON_STARTS: Final = ("{", "[", '"')
#: A path that names a file with an ending; a key in base64 has none.
_PATH: Final = re.compile(r"[^\n]{0,200}\.\w{1,5}")
_ALGORITHMS: Final = (None, "EdDSA", "Ed25519")
#: Members of a key that evidence encloses.
_PUBLIC: Final = ("kty", "crv", "x", "kid")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseKey:
    """A public key for response signatures, with its period of validity."""

    kid: str
    public: Ed25519PublicKey = field(repr=False)
    jwk: Mapping[str, Any] = field(repr=False)
    not_before: datetime | None = None
    retired_at: datetime | None = None

    def in_force(self, when: datetime) -> bool:
        """True if the key was valid at this time, given in whole seconds."""
        return not (
            (self.not_before is not None and when < self.not_before.replace(microsecond=0))
            or (self.retired_at is not None and when >= self.retired_at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """The gateway's public key to which ID numbers are encrypted."""

    kid: str
    public: ec.EllipticCurvePublicKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """Response keys by `kid`, the log's keys, and the key to encrypt to, of a JWK set."""

    by_kid: Mapping[str, ResponseKey]
    log: tuple[Ed25519PublicKey, ...] = ()
    """The keys of the transparency log."""
    encryption: EncryptionKey | None = None

    @classmethod
    def read(cls, source: Jwks | KeySet) -> KeySet:
        """Read a JWK set or a file; keys for other uses are ignored."""
        if isinstance(source, KeySet):
            return source
        return cls.of(_read_jwks(source))

    @classmethod
    def of(cls, jwks: Iterable[object]) -> KeySet:
        """Select the response keys and the log's keys among these JWKs."""
        listed = list(jwks)
        keys = [_response_key(jwk) for jwk in listed if _has_use(jwk, "response")]
        by_kid = {key.kid: key for key in keys}
        if len(by_kid) != len(keys):
            raise ConfigurationError("Two keys of the key set have the same kid.")
        log = tuple(_response_key(jwk).public for jwk in listed if _has_use(jwk, "log"))
        encryption = next((_encryption_key(jwk) for jwk in listed if _is_for_id_numbers(jwk)), None)
        return cls(MappingProxyType(by_kid), log, encryption)

    def get(self, kid: str) -> ResponseKey | None:
        """The response key of this `kid`, or None."""
        return self.by_kid.get(kid)


def read_json(source: Mapping[str, Any] | str | Path, what: str) -> Mapping[str, Any]:
    """Return a mapping as it is, or read it from a file; raises `ConfigurationError`."""
    try:
        return read_document(source, what)
    except EvidenceUnreadable as error:
        raise ConfigurationError(error.detail) from None


def read_document(source: Mapping[str, Any] | str | Path, what: str) -> Mapping[str, Any]:
    """Return a mapping as it is, or read it from strict JSON: a text of it, or the path of a file.

    Raises `ConfigurationError` if there is no such file, `EvidenceUnreadable` for what is in it, which the
    error does not quote.
    """
    if isinstance(source, Mapping):
        return source
    if isinstance(source, str) and source.lstrip(" \t\r\n\ufeff").startswith(_JSON_STARTS):
        data, name = source.encode("utf-8", "replace"), what
    else:
        data, name = read_file(source, what), f"{what} {source}"
    try:
        value = parse_json(data)
    except ValueError as error:
        raise EvidenceUnreadable(f"The {name} cannot be read: {error}.") from None
    if not isinstance(value, dict):
        raise EvidenceUnreadable(f"The {name} is not a JSON object.")
    return value


def read_file(path: str | Path, what: str) -> bytes:
    """Read a file, at most one byte over the largest size.

    Raises `ConfigurationError`, which quotes only what looks like a path: it may be a key.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_SIZE + 1)
    except (OSError, ValueError) as error:
        if _PATH.fullmatch(str(path)) is None:
            raise ConfigurationError(f"The {what} is neither JSON nor a file.") from None
        cause = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"The {what} {path} cannot be read: {cause}.") from None


def _read_jwks(source: Jwks) -> list[object]:
    jwks = read_json(source, "key set")
    keys = jwks.get("keys", [jwks] if "kty" in jwks else None)
    if not isinstance(keys, list):
        raise ConfigurationError("A key set needs a member 'keys' that is a list.")
    return keys


def _has_use(jwk: object, use: str) -> bool:
    return (
        isinstance(jwk, Mapping)
        and jwk.get("kty") == "OKP"
        and jwk.get("crv") == "Ed25519"
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg") in _ALGORITHMS
        and jwk.get("xinqiao_use", "response") == use
    )


def _is_for_id_numbers(jwk: object) -> bool:
    return (
        isinstance(jwk, Mapping)
        and (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256")
        and (jwk.get("use"), jwk.get("alg")) == ("enc", "ECDH-ES")
        and jwk.get("xinqiao_use") == "id_number"
    )


def _encryption_key(jwk: Any) -> EncryptionKey:
    try:
        x, y = (int.from_bytes(parse_base64url(jwk[name]), "big") for name in ("x", "y"))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        return EncryptionKey(kid=str(jwk["kid"]), public=public)
    except (ValueError, TypeError, KeyError):
        raise ConfigurationError("The key to encrypt ID numbers to cannot be read.") from None


def _response_key(jwk: Any) -> ResponseKey:
    kid, x = jwk.get("kid"), jwk.get("x")
    if not isinstance(kid, str) or not kid or not isinstance(x, str):
        raise ConfigurationError("A response key lacks its kid or its x.")
    try:
        return ResponseKey(
            kid=kid,
            public=Ed25519PublicKey.from_public_bytes(parse_base64url(x)),
            jwk=ReadOnlyDict({name: jwk[name] for name in _PUBLIC}),
            not_before=_time(jwk.get("not_before")),
            retired_at=_time(jwk.get("retired_at")),
        )
    except (ValueError, TypeError):
        raise ConfigurationError(f"The response key {kid} cannot be read.") from None


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(value)
    return parse_time(value)
