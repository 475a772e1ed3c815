"""JWS and JWK: signing keys, client assertions, DPoP proofs, the gateway's JWTs.

The only module that imports PyJWT; keys are never printed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from xinqiao.errors import ConfigurationError, EvidenceInvalid

from .keys import Jwks, KeySet, read_json
from .strict import parse_base64url, parse_json

#: Seconds for which a client assertion is valid.
ASSERTION_LIFETIME: Final = 60
#: By key type: the algorithm, the curve it needs, and the members of its thumbprint (RFC 7638).
_KINDS: Final[Mapping[str, tuple[str, str | None, tuple[str, ...]]]] = {
    "EC": ("ES256", "P-256", ("crv", "kty", "x", "y")),
    "OKP": ("EdDSA", "Ed25519", ("crv", "kty", "x")),
    "RSA": ("PS256", None, ("e", "kty", "n")),
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The client's private key: ES256, PS256 or EdDSA, by its JWK."""

    alg: str
    kid: str | None
    public_jwk: Mapping[str, str]
    _key: Any = field(repr=False)

    @classmethod
    def read(cls, source: Jwks) -> SigningKey:
        """Load the first private key of a JWK, a JWK set, or a file that holds either."""
        jwks = read_json(source, "private key")
        keys = jwks.get("keys", [jwks])
        for jwk in keys if isinstance(keys, list) else ():
            if isinstance(jwk, Mapping) and "d" in jwk:
                return cls.of(jwk)
        raise ConfigurationError("No private key was found where one is needed.")

    @classmethod
    def of(cls, jwk: Mapping[str, Any]) -> SigningKey:
        """Load one private JWK."""
        kind = _KINDS.get(str(jwk.get("kty")))
        if kind is None or (kind[1] is not None and jwk.get("crv") != kind[1]):
            raise ConfigurationError("A private key must be EC P-256, Ed25519 or RSA.")
        alg, _, members = kind
        try:
            key = jwt.PyJWK(dict(jwk), algorithm=alg).key
            public = {name: str(jwk[name]) for name in members}
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            # The cause could quote the key.
            raise ConfigurationError("The private key cannot be read.") from None
        kid = jwk.get("kid")
        return cls(alg, kid if isinstance(kid, str) else None, public, key)

    @property
    def thumbprint(self) -> str:
        """The key's RFC 7638 thumbprint (`jkt`)."""
        text = json.dumps(dict(sorted(self.public_jwk.items())), separators=(",", ":"))
        return _base64url(hashlib.sha256(text.encode()).digest())

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any]) -> str:
        """Sign claims as a JWT."""
        return jwt.encode(dict(claims), self._key, algorithm=self.alg, headers=dict(headers))


def generate_dpop_key() -> dict[str, str]:
    """Make a private JWK for DPoP (EC P-256), to share among the workers of one application."""
    jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    return {name: str(jwk[name]) for name in ("kty", "crv", "x", "y", "d")}


def client_assertion(
    key: SigningKey, *, client_id: str, audience: str, now: float, jti: str
) -> str:
    """Make a `private_key_jwt` assertion (RFC 7523); `audience` is the issuer, one string."""
    issued = int(now)
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": issued,
        "exp": issued + ASSERTION_LIFETIME,
        "jti": jti,
    }
    return key.sign(claims, {"kid": key.kid} if key.kid else {})


def dpop_proof(
    key: SigningKey,
    *,
    method: str,
    uri: str,
    now: float,
    jti: str,
    nonce: str | None,
    access_token: str | None,
) -> str:
    """Make a DPoP proof (RFC 9449, section 4.2); query and fragment are no part of `htu`."""
    claims: dict[str, Any] = {
        "htm": method,
        "htu": uri.partition("#")[0].partition("?")[0],
        "iat": int(now),
        "jti": jti,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if access_token is not None:
        claims["ath"] = _base64url(hashlib.sha256(access_token.encode("ascii")).digest())
    return key.sign(claims, {"typ": "dpop+jwt", "jwk": dict(key.public_jwk)})


def verify_gateway_jwt(token: object, keys: KeySet, *, typ: str) -> Mapping[str, Any]:
    """Verify a JWT signed by the gateway and return its claims; raises `EvidenceInvalid`.

    EdDSA only, by a trusted response key in force at `iat`, in strict JSON and base64url.
    """
    try:
        signed, _, signature = str(token).rpartition(".")
        header, claims = (parse_json(parse_base64url(part)) for part in signed.split("."))
        kid, issued = header["kid"], claims["iat"]
        if type(kid) is not str or type(issued) is not int:
            raise TypeError(kid)
        made = datetime.fromtimestamp(issued, UTC)
        raw = parse_base64url(signature)
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        raise EvidenceInvalid("The record's JWT cannot be verified.", reason="signature") from None
    key = keys.get(kid)
    if key is None:
        raise EvidenceInvalid("The record's key is not among the trusted keys.", reason="key")
    try:
        key.public.verify(raw, signed.encode("ascii"))
    except InvalidSignature:
        raise EvidenceInvalid("The record's JWT cannot be verified.", reason="signature") from None
    if header != {"alg": "EdDSA", "typ": typ, "kid": kid} or not key.in_force(made):
        raise EvidenceInvalid("The record's JWT was not made as one.", reason="key")
    return claims  # type: ignore[no-any-return]  # an object: it has `iat`


def pkce_challenge(verifier: str) -> str:
    """PKCE code challenge, S256 (RFC 7636)."""
    return _base64url(hashlib.sha256(verifier.encode("ascii")).digest())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
