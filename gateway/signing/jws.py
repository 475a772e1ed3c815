"""Every JWT is signed and verified here, by PyJWT; nothing else imports it.

An algorithm is accepted only from the caller's own list, and a header that brings its own key or
asks for an extension is refused before anything is verified. Replay is never judged by a token's
text (a signature can be written in more than one way): use `jti`.
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
    algorithm = header(token).get("alg")
    fitting = ALGORITHM_OF_KEY.get((str(jwk.get("kty")), jwk.get("crv")), ())
    if algorithm not in fitting or algorithm not in algorithms:
        raise JwsError("The signature algorithm is not accepted for this key.")
    try:
        key = jwt.PyJWK(dict(jwk), algorithm="EdDSA" if algorithm == "Ed25519" else algorithm).key
        if jwk["kty"] == "RSA" and key.key_size < SMALLEST_RSA_BITS:
            raise JwsError("The RSA key is too short.")
        payload = _jws.decode(token, key, algorithms=[algorithm])
        claims = _json_object(payload)
    except (PyJWTError, ValueError, TypeError, KeyError):
        raise JwsError("The signature cannot be verified.") from None
    return VerifiedClaims(claims)


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
