"""Every JWT is signed and verified here, by PyJWT; nothing else imports it.

An algorithm is accepted only from the caller's own list and only if the key says nothing against it
(its `alg`, `use`, `key_ops`); a header that brings a certificate or asks for an extension is refused
before anything is verified. Replay is never judged by a token's text (a signature can be written in
more than one way): use `jti`.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, NewType

import jwt
import orjson
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from jwt.exceptions import PyJWTError

from gateway.signing.keys import SigningKey

VerifiedClaims = NewType("VerifiedClaims", Mapping[str, Any])

LONGEST = 8_192
ALGORITHM_OF_KEY = {
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
# RFC 7515 §2: base64url without padding. PyJWT reads it character by character, which is slow.
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")


class JwsError(Exception):
    """This token cannot be accepted. The message helps its maker and tells nothing else."""


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey) -> str:
    """A compact JWT (RFC 7519) of `claims`, signed EdDSA by `key`."""
    return _jwt.encode(
        dict(claims), key.private, algorithm="EdDSA", headers={"typ": typ, "kid": key.kid}
    )


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


def header(token: str) -> Mapping[str, Any]:
    """The unverified header of `token`, refused where it asks for what we never do."""
    if len(token) > LONGEST:
        raise JwsError("The token is too long.")
    if not _COMPACT.fullmatch(token):
        raise JwsError("This is not a compact JWT.")
    try:
        found = _json_object(_decoded(token.split(".", maxsplit=1)[0]))
    except ValueError:
        raise JwsError("This is not a compact JWT.") from None
    forbidden = FORBIDDEN_HEADERS & found.keys()
    if forbidden:
        raise JwsError(f"The header parameter {min(forbidden)!r} is not accepted.")
    if not isinstance(found.get("kid", ""), str):
        raise JwsError("The header parameter 'kid' is not a text.")
    return found


def verify(token: str, jwk: Mapping[str, Any], *, algorithms: Iterable[str]) -> VerifiedClaims:
    """The claims of `token` if `jwk` made its signature by one of `algorithms`.

    Times and audience are the caller's to check. Raises `JwsError`.
    """
    payload = signed_payload(token, jwk, algorithms=algorithms)
    try:
        return VerifiedClaims(_json_object(payload))
    except ValueError:
        raise JwsError("The payload is not a JSON object.") from None


def signed_payload(token: str, jwk: Mapping[str, Any], *, algorithms: Iterable[str]) -> bytes:
    """The bytes that `jwk` signed by one of `algorithms`; raises `JwsError`."""
    algorithm: Any = header(token).get("alg")
    if algorithm not in algorithms or not may_verify(jwk, algorithm):
        raise JwsError("The signature algorithm is not accepted for this key.")
    try:
        key = jwt.PyJWK(dict(jwk), algorithm="EdDSA" if algorithm == "Ed25519" else algorithm).key
        if jwk["kty"] == "RSA" and key.key_size < SMALLEST_RSA_BITS:
            raise JwsError("The RSA key is too short.")
        signed, _, signature = token.rpartition(".")
        if not _ALGORITHMS[algorithm].verify(signed.encode(), key, _decoded(signature)):
            raise JwsError("The signature cannot be verified.")
        return _decoded(signed.partition(".")[2])
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise JwsError("The signature cannot be verified.") from None


def may_verify(jwk: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key is of the algorithm's kind and says nothing against it (RFC 7517 §4)."""
    curve = jwk.get("crv")
    kind = (str(jwk.get("kty")), curve if curve is None else str(curve))
    legacy = algorithm == RS256 and kind == ("RSA", None)
    fitting = (RS256,) if legacy else ALGORITHM_OF_KEY.get(kind, ())
    operations = jwk.get("key_ops", ["verify"])
    return (
        algorithm in fitting
        and jwk.get("alg", algorithm) in fitting
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and len(str(jwk.get("n", ""))) <= LONGEST_RSA_MODULUS
        and len(str(jwk.get("e", ""))) <= LONGEST_RSA_EXPONENT
    )


def unverified_claims(token: str) -> Mapping[str, Any]:
    """What a token claims, for finding whose key to verify it with. Trust none of it."""
    header(token)
    try:
        return _json_object(_decoded(token.split(".")[1]))
    except ValueError:
        raise JwsError("This is not a compact JWT.") from None


def _decoded(segment: str) -> bytes:
    """The bytes of one segment, if it is their one encoding; raises `ValueError`."""
    data = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    if urlsafe_b64encode(data).rstrip(b"=") != segment.encode():
        raise ValueError("bits are set that nobody reads")
    return data


def _json_object(payload: bytes) -> Mapping[str, Any]:
    claims = orjson.loads(payload)
    if not isinstance(claims, dict):
        raise JwsError("The payload is not a JSON object.")
    return claims
