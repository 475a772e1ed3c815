"""ID numbers encrypted by joserfc, a JOSE library that the gateway does not use; and tampered ones."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey

from gateway.signing.jwk import public_jwk

TYP: Final = "id-number+jwe"
HEADER: Final = {"alg": "ECDH-ES", "enc": "A256GCM", "typ": TYP}


def encrypt(claims: Mapping[str, Any] | bytes, key: Mapping[str, Any], **header: Any) -> str:
    """A compact JWE to a public JWK; `header` changes its header, `None` leaves a member out."""
    given = {**HEADER, "kid": key["kid"], **header}
    kept = {name: value for name, value in given.items() if value is not None}
    plaintext = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    registry = jwe.JWERegistry(
        algorithms=list(jwe.JWERegistry.algorithms["alg"])
        + list(jwe.JWERegistry.algorithms["enc"])
        + ["DEF"],
        strict_check_header=False,
    )
    point = {name: key[name] for name in ("kty", "crv", "x", "y")}
    return jwe.encrypt_compact(kept, plaintext, ECKey.import_key(point), registry=registry)


def with_header(token: str, **changes: Any) -> str:
    """The token with other header members, which its tag does not cover."""
    head, rest = token.split(".", 1)
    header = json.loads(unpadded(head)) | changes
    return f"{encoded(json.dumps(header).encode())}.{rest}"


def unpadded(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def new_public_jwk(curve: ec.EllipticCurve | None = None) -> tuple[Any, dict[str, str]]:
    """A fresh private key, and its public JWK with a `kid`."""
    private = ec.generate_private_key(curve or ec.SECP256R1())
    return private, {**public_jwk(private.public_key()), "kid": "k1"}
