"""Sign and verify JWTs (RFC 7515, RFC 7519), with PyJWT's algorithms.

An algorithm is accepted only from the caller's own list and only if the key says nothing against it
(its `alg`, `use`, `key_ops`); a header that brings a certificate or asks for an extension is refused
before anything is verified. Replay is never judged by a token's text (a signature can be written in
more than one way): use `jti`.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NewType

import jwt
import orjson
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from jwt.exceptions import PyJWTError

from gateway import strict_json
from gateway.signing.jwk import PUBLIC_MEMBERS, base64url_decode
from gateway.signing.keys import SigningKey

VerifiedClaims = NewType("VerifiedClaims", Mapping[str, Any])

LONGEST = 8_192
ALGORITHM_OF_KEY: Final[Mapping[tuple[str | None, str | None], tuple[str, ...]]] = {
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("PS256",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
}
# No client may sign so. An identity provider may, where the operator says so (decision 0013).
RS256: Final = "RS256"
SMALLEST_RSA_BITS = 2_048
# A proof brings its own key: what it may cost to verify is bounded before there is a key.
LONGEST_RSA_MODULUS = 683  # base64url characters of 4096 bits
LONGEST_RSA_EXPONENT = 6  # of 32 bits
KEYS_REMEMBERED: Final = 4_096
FORBIDDEN_HEADERS = frozenset({"crit", "jku", "x5u", "x5c", "b64", "zip"})

_jwt = jwt.PyJWT()
# What there is to verify with: there is no `none` and no HMAC to forget to forbid.
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
    """This token cannot be accepted. The message helps its maker and tells nothing else."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact JWT whose header was read and can be accepted. Nothing of it is believed yet."""

    text: str = field(repr=False)
    header: Mapping[str, Any]


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey) -> str:
    """A compact JWT (RFC 7519) of `claims`, signed EdDSA by `key`."""
    head = {"alg": "EdDSA", "typ": typ, "kid": key.kid}
    signed = b".".join(_encoded(orjson.dumps(part)) for part in (head, dict(claims)))
    return b".".join((signed, _encoded(key.sign(signed)))).decode()


def sign_with(claims: Mapping[str, Any], jwk: Mapping[str, Any]) -> str:
    """A compact JWT of `claims`, signed by a private JWK as the algorithm of its kind says.

    Raises `JwsError` if it is no private key of a kind that signs here.
    """
    try:
        algorithm, *_ = ALGORITHM_OF_KEY[jwk["kty"], jwk.get("crv")]
        key = jwt.PyJWK(dict(jwk), algorithm=algorithm).key
        return _jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": jwk["kid"]})
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        raise JwsError("This is no private key that can sign.") from None


def parsed(token: str | Compact) -> Compact:
    """Read the header of `token`, once; refused where it asks for what we never do."""
    if isinstance(token, Compact):
        return token
    if len(token) > LONGEST:
        raise JwsError("The token is too long.")
    if not _COMPACT.fullmatch(token):
        raise JwsError("This is not a compact JWT.")
    try:
        found = _json_object(base64url_decode(token.partition(".")[0]))
    except ValueError:
        raise JwsError("This is not a compact JWT.") from None
    forbidden = FORBIDDEN_HEADERS & found.keys()
    if forbidden:
        raise JwsError(f"The header parameter {min(forbidden)!r} is not accepted.")
    if not isinstance(found.get("kid", ""), str):
        raise JwsError("The header parameter 'kid' is not a text.")
    return Compact(token, found)


def header(token: str | Compact) -> Mapping[str, Any]:
    """The unverified header of `token`; raises `JwsError`."""
    return parsed(token).header


def verify(
    token: str | Compact, jwk: Mapping[str, Any], *, algorithms: Iterable[str]
) -> VerifiedClaims:
    """The claims of `token` if `jwk` made its signature by one of `algorithms`.

    Times and audience are the caller's to check. Raises `JwsError`.
    """
    payload = signed_payload(token, jwk, algorithms=algorithms)
    try:
        return VerifiedClaims(_json_object(payload))
    except ValueError:
        raise JwsError("The payload is not a JSON object.") from None


def signed_payload(
    token: str | Compact, jwk: Mapping[str, Any], *, algorithms: Iterable[str]
) -> bytes:
    """The bytes that `jwk` signed by one of `algorithms`; raises `JwsError`."""
    compact = parsed(token)
    algorithm: Any = compact.header.get("alg")
    if algorithm not in algorithms or not may_verify(jwk, algorithm):
        raise JwsError("The signature algorithm is not accepted for this key.")
    try:
        key = _public_key(algorithm, tuple(jwk[name] for name in PUBLIC_MEMBERS[jwk["kty"]]))
        signed, _, signature = compact.text.rpartition(".")
        if not _ALGORITHMS[algorithm].verify(signed.encode(), key, base64url_decode(signature)):
            raise JwsError("The signature cannot be verified.")
        return base64url_decode(signed.partition(".")[2])
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise JwsError("The signature cannot be verified.") from None


@lru_cache(KEYS_REMEMBERED)
def _public_key(algorithm: str, members: tuple[str, ...]) -> Any:
    """The key that these members spell, remembered by them: they say all that it is.

    Nothing is told by it that makes a key good: whose it is and whether it still counts is read
    anew each time.
    """
    kty, *_ = members
    key: Any = _ALGORITHMS[algorithm].from_jwk(dict(zip(PUBLIC_MEMBERS[kty], members, strict=True)))
    if kty == "RSA" and key.key_size < SMALLEST_RSA_BITS:
        raise JwsError("The RSA key is too short.")
    return key


def may_verify(jwk: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key is of the algorithm's kind and says nothing against it (RFC 7517 §4)."""
    # First: whatever a stranger sends instead may be nested too deep even to be written out.
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
        and len(jwk.get("n", "")) <= LONGEST_RSA_MODULUS
        and len(jwk.get("e", "")) <= LONGEST_RSA_EXPONENT
    )


def unverified_claims(token: str | Compact) -> Mapping[str, Any]:
    """What a token claims, for finding whose key to verify it with. Trust none of it."""
    try:
        return _json_object(base64url_decode(parsed(token).text.split(".")[1]))
    except ValueError:
        raise JwsError("This is not a compact JWT.") from None


def _encoded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _json_object(payload: bytes) -> Mapping[str, Any]:
    claims = strict_json.parse(payload)
    if not isinstance(claims, dict):
        raise JwsError("The payload is not a JSON object.")
    return claims
