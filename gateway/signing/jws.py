"""Signing and verification of JWTs (RFC 7515, RFC 7519), with PyJWT's algorithms.

An algorithm is accepted only from the caller's list and only if the key allows it (`alg`, `use`,
`key_ops`); headers with certificates or extensions are refused before verification. Detect replay by
`jti`, never by a token's text, which has several valid encodings.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NewType

import jwt
import orjson
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from jwt.exceptions import PyJWTError

from gateway import strict_json
from gateway.signing.jwk import PUBLIC_MEMBERS, base64url_decode
from gateway.signing.keys import SigningKey

VerifiedClaims = NewType("VerifiedClaims", Mapping[str, Any])

MAX_TOKEN_LENGTH = 8_192
ALGORITHM_OF_KEY: Final[Mapping[tuple[str | None, str | None], tuple[str, ...]]] = {
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("PS256",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
}
FAPI_ALGORITHMS: Final = ("ES256", "PS256", "EdDSA", "Ed25519")
# For identity providers only, where the operator allows it (decision 0013).
RS256: Final = "RS256"
RSA_ALGORITHMS: Final = frozenset({"PS256", RS256})
MIN_RSA_BITS = 2_048
# A DPoP proof brings its own key: bounds on the cost of its verification.
MAX_RSA_MODULUS_LENGTH = 683  # base64url characters of 4096 bits
MAX_RSA_EXPONENT_LENGTH = 6  # of 32 bits
KEY_CACHE_SIZE: Final = 4_096
HEADER_CACHE_SIZE: Final = 512
FORBIDDEN_HEADERS = frozenset({"crit", "jku", "x5u", "x5c", "b64", "zip"})

_jwt = jwt.PyJWT()
# No `none` and no HMAC.
_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),  # see RS256
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),
}
_TEXTS: Final = ("kty", "crv", "x", "y", "n", "e", "alg", "use")
# RFC 7515 §2: base64url without padding. PyJWT reads it character by character, which is slow.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")


class JwsError(Exception):
    """A token cannot be accepted; the message is for its issuer."""


@dataclass(frozen=True, slots=True)
class CompactJwt:
    """A compact JWT with an acceptable header, not yet verified."""

    text: str = field(repr=False)
    header: Mapping[str, Any]


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey) -> str:
    """A compact JWT (RFC 7519) of `claims`, signed EdDSA by `key`."""
    head = {"alg": "EdDSA", "typ": typ, "kid": key.kid}
    signed = b".".join(_encoded(orjson.dumps(part)) for part in (head, dict(claims)))
    return b".".join((signed, _encoded(key.sign(signed)))).decode()


def sign_with(claims: Mapping[str, Any], jwk: Mapping[str, Any]) -> str:
    """A compact JWT of `claims`, signed by a private JWK; raises `JwsError` if it cannot sign."""
    try:
        algorithm, *_ = ALGORITHM_OF_KEY[jwk["kty"], jwk.get("crv")]
        key = jwt.PyJWK(dict(jwk), algorithm=algorithm).key
        return _jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": jwk["kid"]})
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        raise JwsError("This is no private key that can sign.") from None


def parse_compact(token: str | CompactJwt) -> CompactJwt:
    """Read and check the header of `token`; raises `JwsError`."""
    if isinstance(token, CompactJwt):
        return token
    return CompactJwt(token, parse_header(encoded_header(token)))


def encoded_header(token: str) -> str:
    """The first part of a compact JWT, still encoded; raises `JwsError`."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise JwsError("The token is too long.")
    if not _COMPACT.fullmatch(token):
        raise JwsError("This is not a compact JWT.")
    return token.partition(".")[0]


@lru_cache(HEADER_CACHE_SIZE)
def parse_header(encoded: str) -> Mapping[str, Any]:
    """The header in the first part of a compact JWT; raises `JwsError` if it is not acceptable.

    Cached by its text, which is the same in all assertions that one key signs.
    """
    try:
        found = _json_object(base64url_decode(encoded))
    except ValueError:
        raise JwsError("This is not a compact JWT.") from None
    forbidden = FORBIDDEN_HEADERS & found.keys()
    if forbidden:
        raise JwsError(f"The header parameter {min(forbidden)!r} is not accepted.")
    if not isinstance(found.get("kid", ""), str):
        raise JwsError("The header parameter 'kid' is not a text.")
    return MappingProxyType(found)


def header(token: str | CompactJwt) -> Mapping[str, Any]:
    """The unverified header of `token`; raises `JwsError`."""
    return parse_compact(token).header


def verify(
    token: str | CompactJwt, jwk: Mapping[str, Any], *, algorithms: Iterable[str]
) -> VerifiedClaims:
    """The claims of `token` if `jwk` made its signature by one of `algorithms`.

    Times and audience are the caller's to check. Raises `JwsError`.
    """
    compact = parse_compact(token)
    return verifying_key(compact.header, jwk, algorithms=algorithms).claims_of(compact.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A public key with the one algorithm by which it verifies here."""

    algorithm: str
    key: Any

    def claims_of(self, token: str) -> VerifiedClaims:
        """The claims of a compact JWT that this key signed; raises `JwsError`."""
        try:
            return VerifiedClaims(_json_object(self.signed_payload(token)))
        except ValueError:
            raise JwsError("The payload is not a JSON object.") from None

    def signed_payload(self, token: str) -> bytes:
        """The bytes of a compact JWT that this key signed; raises `JwsError`."""
        try:
            signed, _, encoded = token.rpartition(".")
            signature = base64url_decode(encoded)
            # RFC 8017 §8.1.2: as long as the modulus. OpenSSL takes one without its leading zeros, too.
            size = (self.key.key_size + 7) // 8 if self.algorithm in RSA_ALGORITHMS else None
            fits = size is None or len(signature) == size
            if not fits or not _ALGORITHMS[self.algorithm].verify(
                signed.encode(), self.key, signature
            ):
                raise JwsError("The signature cannot be verified.")
            return base64url_decode(signed.partition(".")[2])
        except (PyJWTError, ValueError, TypeError, KeyError):
            raise JwsError("The signature cannot be verified.") from None


def made(signature: bytes, message: bytes, jwk: Mapping[str, Any], algorithm: str) -> bool:
    """True where `jwk` made this signature, which is no JWT's; raises `JwsError` for an unfit key."""
    key = verifying_key({"alg": algorithm}, jwk, algorithms=(algorithm,)).key
    return _ALGORITHMS[algorithm].verify(message, key, signature)


def verifying_key(
    header: Mapping[str, Any], jwk: Mapping[str, Any], *, algorithms: Iterable[str]
) -> VerifyingKey:
    """`jwk` for the algorithm that a token's header names, one of `algorithms`; raises `JwsError`."""
    algorithm: Any = header.get("alg")
    if algorithm not in algorithms or not may_verify(jwk, algorithm):
        raise JwsError("The signature algorithm is not accepted for this key.")
    try:
        members = tuple(jwk[name] for name in PUBLIC_MEMBERS[jwk["kty"]])
        return VerifyingKey(algorithm=algorithm, key=_public_key(algorithm, members))
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise JwsError("The signature cannot be verified.") from None


@lru_cache(KEY_CACHE_SIZE)
def _public_key(algorithm: str, members: tuple[str, ...]) -> Any:
    """The public key with these members; cached, without its owner or validity."""
    kty, *_ = members
    key: Any = _ALGORITHMS[algorithm].from_jwk(dict(zip(PUBLIC_MEMBERS[kty], members, strict=True)))
    if kty == "RSA" and key.key_size < MIN_RSA_BITS:
        raise JwsError("The RSA key is too short.")
    return key


def may_verify(jwk: Mapping[str, Any], algorithm: str) -> bool:
    """True where a key is of the algorithm's kind and allows its use (RFC 7517 §4)."""
    # First: other types may be nested too deep to be serialised.
    if not all(isinstance(jwk.get(name, ""), str) for name in _TEXTS):
        return False
    kind = (jwk.get("kty"), jwk.get("crv"))
    legacy = algorithm == RS256 and kind == ("RSA", None)
    fitting = (RS256,) if legacy else ALGORITHM_OF_KEY.get(kind, ())
    operations = jwk.get("key_ops", ["verify"])
    return (
        algorithm in fitting
        and jwk.get("alg", algorithm) in fitting
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and len(jwk.get("n", "")) <= MAX_RSA_MODULUS_LENGTH
        and len(jwk.get("e", "")) <= MAX_RSA_EXPONENT_LENGTH
    )


def unverified_claims(token: str | CompactJwt) -> Mapping[str, Any]:
    """A token's unverified claims, only for choosing the key to verify it with."""
    try:
        return _json_object(base64url_decode(parse_compact(token).text.split(".")[1]))
    except ValueError:
        raise JwsError("This is not a compact JWT.") from None


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _json_object(payload: bytes) -> Mapping[str, Any]:
    claims = strict_json.parse(payload)
    if not isinstance(claims, dict):
        raise JwsError("The payload is not a JSON object.")
    return claims
