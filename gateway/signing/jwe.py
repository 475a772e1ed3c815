"""Decryption of compact JWE (RFC 7516): ECDH-ES on P-256 (RFC 7518 §4.6) with A256GCM, and nothing else.

A token that cannot be opened is none: whatever is wrong with it, the same key agreement, derivation and
decryption run, with decoys in place of what it lacks, so that neither words nor work tell what it was.
Compression (`zip`) and extensions (`crit`) are refused.
"""

import os
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from gateway import strict_json
from gateway.signing.jwk import base64url, base64url_decode, public_jwk, read_public_key

MAX_LENGTH: Final = 2_048
ALGORITHM: Final = "ECDH-ES"
ENCRYPTION: Final = "A256GCM"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_PARTS: Final = re.compile(
    r"([\w-]{1,1024})\.\.([\w-]{16})\.([\w-]{1,1024})\.([\w-]{22})", re.ASCII
)
_HEADER: Final = frozenset({"alg", "enc", "kid", "typ", "epk"})
_OPTIONAL: Final = frozenset({"apu", "apv"})
_EPHEMERAL: Final = frozenset({"kty", "crv", "x", "y"})

FindKey = Callable[[str], ec.EllipticCurvePrivateKey | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """A token of the right form."""

    kid: str
    ephemeral: ec.EllipticCurvePublicKey
    parties: tuple[bytes, bytes]
    associated: bytes
    nonce: bytes
    ciphertext: bytes = field(repr=False)


def is_compact_jwe(text: str) -> bool:
    """True for a text that has the five parts of a compact JWE."""
    return text.count(".") == 4  # noqa: PLR2004  # RFC 7516 §7.1


def decrypt(token: str, find_key: FindKey, *, typ: str) -> bytes | None:
    """The plaintext of a token of this `typ` under one of our keys, or `None`."""
    sealed = _parse(token, typ)
    key = None if sealed is None else find_key(sealed.kid)
    tried = sealed or _parse(_DECOY, _DECOY_TYP)
    if tried is None:
        raise TypeError("the decoy is always there")
    secret = (key or _DECOY_KEY).exchange(ec.ECDH(), tried.ephemeral)
    try:
        opened = AESGCM(_content_key(secret, tried.parties)).decrypt(
            tried.nonce, tried.ciphertext, tried.associated
        )
    except InvalidTag:
        return None
    return None if key is None else opened


def _parse(token: str, typ: str) -> _Sealed | None:
    """The parts of a token, where all are of the right form."""
    match = _PARTS.fullmatch(token) if len(token) <= MAX_LENGTH else None
    if match is None:
        return None
    head, nonce, ciphertext, tag = match.groups()
    try:
        header = _object(strict_json.parse(base64url_decode(head)))
        if not _HEADER <= header.keys() <= _HEADER | _OPTIONAL:
            return None
        if (header["alg"], header["enc"], header["typ"]) != (ALGORITHM, ENCRYPTION, typ):
            return None
        return _Sealed(
            kid=_text(header["kid"]),
            ephemeral=_ephemeral_key(_object(header["epk"])),
            parties=(_party(header, "apu"), _party(header, "apv")),
            associated=head.encode(),
            nonce=base64url_decode(nonce),
            ciphertext=base64url_decode(ciphertext) + base64url_decode(tag),
        )
    except (ValueError, TypeError, strict_json.StrictJsonError):
        return None


def _ephemeral_key(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    """The sender's key; a point that is not on the curve is refused (`ValueError`)."""
    if jwk.keys() != _EPHEMERAL or (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise ValueError("not a public P-256 key")
    key = read_public_key(jwk)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("not a public P-256 key")
    return key


def _content_key(secret: bytes, parties: tuple[bytes, bytes]) -> bytes:
    """Concat KDF (RFC 7518 §4.6.2): algorithm, both parties, length of the key in bits."""
    info = b"".join(
        struct.pack(">I", len(part)) + part for part in (ENCRYPTION.encode(), *parties)
    ) + struct.pack(">I", 8 * _KEY_BYTES)
    return ConcatKDFHash(algorithm=SHA256(), length=_KEY_BYTES, otherinfo=info).derive(secret)


def _party(header: Mapping[str, Any], name: str) -> bytes:
    return base64url_decode(_text(header[name])) if name in header else b""


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not a JSON object")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _make_decoy() -> str:
    """A token of the right form that no key opens."""
    ephemeral = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": "", "typ": _DECOY_TYP, "epk": ephemeral}
    parts = (orjson.dumps(header), b"", *map(os.urandom, (_NONCE_BYTES, 256, _TAG_BYTES)))
    return ".".join(map(base64url, parts))


_DECOY_KEY: Final = ec.generate_private_key(ec.SECP256R1())
_DECOY_TYP: Final = "decoy"
_DECOY: Final = _make_decoy()
