"""JSON Web Keys (RFC 7517): generate, read and write EC P-256, RSA and Ed25519 keys, with PyJWT."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

Jwk = Mapping[str, Any]

# The members of a public key by type; its thumbprint is of these (RFC 7638 §3.2, RFC 8037 §2).
PUBLIC_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "EC": ("kty", "crv", "x", "y"),
    "RSA": ("kty", "n", "e"),
    "OKP": ("kty", "crv", "x"),
}
_CODECS: Final[Mapping[str, Any]] = {"EC": ECAlgorithm, "RSA": RSAAlgorithm, "OKP": OKPAlgorithm}
_KINDS: Final[Mapping[str, type[Any]]] = {
    "EC": ec.EllipticCurvePublicKey,
    "RSA": rsa.RSAPublicKey,
    "OKP": ed25519.Ed25519PublicKey,
}


def public_jwk(key: Any) -> dict[str, str]:  # one of cryptography's keys
    """The public JWK of a public key; raises `ValueError` for another kind of key."""
    kty = next((kty for kty, kind in _KINDS.items() if isinstance(key, kind)), None)
    if kty is None:
        raise ValueError("neither EC nor RSA nor Ed25519")
    try:
        found = _CODECS[kty].to_jwk(key, as_dict=True)
    except PyJWTError as error:
        raise ValueError(str(error)) from None
    return {name: found[name] for name in PUBLIC_MEMBERS[kty]}


def read_public_key(jwk: Jwk) -> Any:  # one of cryptography's public keys
    """The key of a public JWK; raises `ValueError`."""
    try:
        members = {name: jwk[name] for name in PUBLIC_MEMBERS[jwk["kty"]]}
        for name in members.keys() - {"kty", "crv"}:
            base64url_decode(members[name])
        return _CODECS[jwk["kty"]].from_jwk(members)
    except (PyJWTError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from None


def read_ed25519_private_key(jwk: Jwk) -> ed25519.Ed25519PrivateKey:
    """The key of a private Ed25519 JWK; raises `ValueError`."""
    try:
        key = OKPAlgorithm.from_jwk(dict(jwk))
    except (PyJWTError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError("not an Ed25519 private key")  # noqa: TRY004  # read as a value
    return key


def read_p256_private_key(jwk: Jwk) -> ec.EllipticCurvePrivateKey:
    """The key of a private P-256 JWK; raises `ValueError`."""
    try:
        key = ECAlgorithm.from_jwk(dict(jwk))
    except (PyJWTError, TypeError, KeyError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a P-256 private key")  # noqa: TRY004  # read as a value
    return key


def new_ed25519_jwk() -> dict[str, str]:
    """A fresh private Ed25519 key (RFC 8037)."""
    return dict(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate(), as_dict=True))


def new_p256_jwk(**parameters: str) -> dict[str, str]:
    """A fresh private P-256 key for ES256, with further members such as `kid`."""
    key = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return {**key, "use": "sig", "alg": "ES256", **parameters}


def without_private(jwk: Jwk) -> dict[str, Any]:
    """The public half of an EC or Ed25519 JWK."""
    return {name: value for name, value in jwk.items() if name != "d"}


def thumbprint(jwk: Jwk) -> str:
    """The SHA-256 thumbprint of a key (RFC 7638)."""
    members = {name: jwk[name] for name in PUBLIC_MEMBERS[jwk["kty"]]}
    canonical = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    return base64url(hashlib.sha256(canonical).digest())


def base64url(data: bytes) -> str:
    """`data` in base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def base64url_decode(text: str) -> bytes:
    """The bytes of base64url without padding, in its one encoding; raises `ValueError`."""
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not the canonical base64url of any bytes")
    return data
