"""Every JWT is signed and verified here, by PyJWT; nothing else imports it.

An algorithm is accepted only from the caller's own list and only if the key says nothing against it
(its `alg`, `use`, `key_ops`); a header that brings a certificate or asks for an extension is refused
before anything is verified. Replay is never judged by a token's text (a signature can be written in
more than one way): use `jti`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NewType

import jwt
import orjson
from jwt.algorithms import OKPAlgorithm
from jwt.exceptions import PyJWTError

from gateway.signing.keys import SigningKey

VerifiedClaims = NewType("VerifiedClaims", Mapping[str, Any])

LONGEST = 8_192
ALGORITHM_OF_KEY = {
    ("EC", "P-256"): ("ES256",),
    ("RSA", None): ("PS256",),
    ("OKP", "Ed25519"): ("EdDSA", "Ed25519"),
}
SMALLEST_RSA_BITS = 2_048
# A proof brings its own key: what it may cost to verify is bounded before there is a key.
LONGEST_RSA_MODULUS = 683  # base64url characters of 4096 bits
LONGEST_RSA_EXPONENT = 6  # of 32 bits
FORBIDDEN_HEADERS = frozenset({"crit", "jku", "x5u", "x5c", "b64", "zip"})

_jwt = jwt.PyJWT()
_jws = jwt.PyJWS()
_jws.register_algorithm("Ed25519", OKPAlgorithm())


class JwsError(Exception):
    """This token cannot be accepted. The message helps its maker and tells nothing else."""


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey) -> str:
    """A compact JWT (RFC 7519) of `claims`, signed EdDSA by `key`."""
    return _jwt.encode(
        dict(claims), key.private, algorithm="EdDSA", headers={"typ": typ, "kid": key.kid}
    )


def header(token: str) -> Mapping[str, Any]:
    """The unverified header of `token`, refused where it asks for what we never do."""
    if len(token) > LONGEST:
        raise JwsError("The token is too long.")
    if "=" in token:  # PyJWT would take the padding that RFC 7515 §2 leaves out
        raise JwsError("This is not a compact JWT.")
    try:
        found = _jws.get_unverified_header(token)
    except PyJWTError:
        raise JwsError("This is not a compact JWT.") from None
    forbidden = FORBIDDEN_HEADERS & found.keys()
    if forbidden:
        raise JwsError(f"The header parameter {min(forbidden)!r} is not accepted.")
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
        payload: bytes = _jws.decode(token, key, algorithms=[algorithm])
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise JwsError("The signature cannot be verified.") from None
    return payload


def may_verify(jwk: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a key is of the algorithm's kind and says nothing against it (RFC 7517 §4)."""
    curve = jwk.get("crv")
    kind = (str(jwk.get("kty")), curve if curve is None else str(curve))
    fitting = ALGORITHM_OF_KEY.get(kind, ())
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
        return _json_object(_jws.decode(token, options={"verify_signature": False}))
    except (PyJWTError, ValueError):
        raise JwsError("This is not a compact JWT.") from None


def _json_object(payload: bytes) -> Mapping[str, Any]:
    claims = orjson.loads(payload)
    if not isinstance(claims, dict):
        raise JwsError("The payload is not a JSON object.")
    return claims
