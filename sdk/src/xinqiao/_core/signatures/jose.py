"""JWS and JWK: signing keys (JWK or PEM), client assertions, DPoP proofs, the gateway's JWTs.

The only module that imports PyJWT; keys are never printed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import jwt
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from xinqiao._core.wire.strict import parse_base64url, parse_json
from xinqiao.errors import ConfigurationError, EvidenceInvalid

from .keys import Jwks, KeySet, read_file

#: Seconds for which a client assertion is valid.
ASSERTION_LIFETIME: Final = 60
#: By key type: the algorithm, the curve it needs, and the members of its thumbprint (RFC 7638).
_KINDS: Final[Mapping[str, tuple[str, str | None, tuple[str, ...]]]] = {
    "EC": ("ES256", "P-256", ("crv", "kty", "x", "y")),
    "OKP": ("EdDSA", "Ed25519", ("crv", "kty", "x")),
    "RSA": ("PS256", None, ("e", "kty", "n")),
}
#: Size of a new RSA key; FAPI 2.0 wants at least 2048.
RSA_BITS: Final = 3072
_PEM: Final = "-----BEGIN"
#: A path that names a file with an ending; a key in base64 has none.
_PATH: Final = re.compile(r"[^\n]{0,200}\.\w{1,5}")
_UNREADABLE: Final = "The private key cannot be read: it is neither a JWK nor a PEM of one."
_UNFIT: Final = "A private key must be EC P-256, Ed25519 or RSA."


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The client's private key: ES256, PS256 or EdDSA, by its JWK."""

    alg: str
    kid: str | None
    public_jwk: Mapping[str, str]
    _key: Any = field(repr=False)

    @classmethod
    def read(cls, source: Jwks) -> SigningKey:
        """Load the first private key of a JWK, a JWK set or a PEM: a mapping, a text or a file."""
        jwks = source if isinstance(source, Mapping) else _jwk_of_text(_text(source))
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
            raise ConfigurationError(_UNFIT)
        alg, _, members = kind
        try:
            key = jwt.PyJWK(dict(jwk), algorithm=alg).key
            public = {name: str(jwk[name]) for name in members}
        except (jwt.PyJWTError, ValueError, KeyError, TypeError):
            # The cause could quote the key.
            raise ConfigurationError(_UNREADABLE) from None
        kid = jwk.get("kid")
        return cls(alg, kid if isinstance(kid, str) else None, public, key)

    @property
    def thumbprint(self) -> str:
        """The key's RFC 7638 thumbprint (`jkt`)."""
        text = json.dumps(dict(sorted(self.public_jwk.items())), separators=(",", ":"))
        return _base64url(hashlib.sha256(text.encode()).digest())

    def derive(self, label: bytes, context: str) -> bytes:
        """Derive 32 secret bytes from the private key (HKDF-SHA256's two steps)."""
        own = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        secret = hmac.digest(label, own, hashlib.sha256)
        return hmac.digest(secret, context.encode() + b"\x01", hashlib.sha256)

    def sign_bytes(self, message: bytes) -> bytes:
        """Sign bytes, as RFC 7518 has it of the key's algorithm."""
        return jwt.get_algorithm_by_name(self.alg).sign(message, self._key)

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any]) -> str:
        """Sign claims as a JWT."""
        return jwt.encode(dict(claims), self._key, algorithm=self.alg, headers=dict(headers))


def _text(source: str | Path) -> bytes:
    """The text of a key, or of the file at a path; an error quotes only what looks like a path."""
    given = str(source)
    if "{" in given or _PEM in given:
        return given.encode()
    try:
        return read_file(source, "private key")
    except ConfigurationError:
        if _PATH.fullmatch(given):
            raise
        raise ConfigurationError("The private key is no JWK, no PEM and no file.") from None


def _jwk_of_text(data: bytes) -> Mapping[str, Any]:
    """The JWK or JWK set of JSON or of an unencrypted PEM; an error never quotes it."""
    if data.lstrip().startswith(_PEM.encode()):
        return _jwk_of_pem(data)
    try:
        value = parse_json(data)
    except ValueError:
        raise ConfigurationError(_UNREADABLE) from None
    if not isinstance(value, dict):
        raise ConfigurationError(_UNREADABLE)
    return value


def _jwk_of_pem(data: bytes) -> Mapping[str, Any]:
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise ConfigurationError(
            "The private key is encrypted: decrypt it where it is read (openssl pkey), or keep it "
            "in a secret store."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(_UNREADABLE) from None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, Ed25519PrivateKey):
        return OKPAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(key, as_dict=True)
    raise ConfigurationError(_UNFIT)


def generate_client_key(kind: Literal["EC", "OKP", "RSA"] = "EC") -> dict[str, str]:
    """Make a private JWK for a client: ES256 (EC P-256), EdDSA (OKP) or PS256 (RSA, 3072 bits).

    Its `kid` is its RFC 7638 thumbprint. What the gateway's operator registers is `public_jwks`.
    """
    if kind == "EC":
        jwk = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    elif kind == "OKP":
        jwk = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    else:
        made = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        jwk = RSAAlgorithm.to_jwk(made, as_dict=True)
    named = {name: value for name, value in jwk.items() if isinstance(value, str)}
    key = SigningKey.of(named)
    return {**named, "kid": key.thumbprint, "alg": key.alg, "use": "sig"}


def public_jwks(private: Jwks) -> dict[str, list[dict[str, str]]]:
    """The JWK set to hand to the gateway's operator: the public half of a client's key."""
    key = SigningKey.read(private)
    public = {**key.public_jwk, "kid": key.kid or key.thumbprint, "alg": key.alg, "use": "sig"}
    return {"keys": [public]}


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
