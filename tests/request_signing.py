"""Signed requests (RFC 9421), made by cryptography alone; a test changes any part of them."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.gateway_fixture import Caller
from xinqiao._core.signatures.exchange import sha256_digest

VERIFICATIONS = "/v1/verifications"
Key = ec.EllipticCurvePrivateKey | Ed25519PrivateKey


def sign_bytes(key: Key, message: bytes) -> bytes:
    """The 64 bytes of an Ed25519 or an ECDSA signature on P-256."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    numbers = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return b"".join(number.to_bytes(32, "big") for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCall:
    """How a request is signed; what is not changed is right."""

    method: str = "POST"
    path: str = VERIFICATIONS
    body: bytes = b""
    scope: str = "query verify"
    key: Key | None = None
    label: str = "sig1"
    names: tuple[str, ...] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """Values that are signed in the place of those that are sent."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters beside or in the place of the right ones; `None` leaves one out."""

    async def headers(self, caller: Caller) -> dict[str, str | None]:
        """The headers by which this call differs from an unsigned one."""
        jti, token = secrets.token_urlsafe(16), await caller.token(self.scope)
        path = self.path.partition("?")[0]
        proof = await caller.proof(self.method, path, token, jti=jti)
        return {"DPoP": proof, **self.fields(caller, jti)}

    def fields(self, caller: Caller, nonce: str) -> dict[str, str]:
        """Both fields of the signature."""
        gateway = caller.gateway
        values = {
            "@method": self.method,
            "@target-uri": gateway.issuer + self.path,
            "content-type": "application/json",
            "content-digest": sha256_digest(self.body),
            **self.values,
        }
        usual = ("@method", "@target-uri", "content-type", "content-digest")
        names = self.names or (usual if self.body else usual[:2])
        right = {
            "created": int(gateway.clock().timestamp()),
            "nonce": nonce,
            "keyid": "k1",
            "tag": "xinqiao-request",
        }
        chosen = {**right, **self.parameters}
        written = "".join(
            f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
            for name, value in chosen.items()
            if value is not None
        )
        covered = " ".join(f'"{name}"' for name in names)
        params = f"({covered}){written}"
        lines = [f'"{name}": {values[name]}' for name in names]
        base = "\n".join([*lines, f'"@signature-params": {params}'])
        made = base64.b64encode(sign_bytes(self.key or caller.key, base.encode())).decode()
        return {
            "Signature-Input": f"{self.label}={params}",
            "Signature": f"{self.label}=:{made}:",
        }

    async def send(self, caller: Caller, **changes: str | None) -> httpx2.Response:
        """Send it; `changes` replace headers of the signed request."""
        headers = await self.headers(caller) | {
            name.replace("_", "-"): value for name, value in changes.items()
        }
        return await caller.send(
            self.path, self.body, method=self.method, scope=self.scope, headers=headers
        )


def signed_call(body: Mapping[str, Any], **changes: Any) -> SignedCall:
    """A signed call with this body."""
    return SignedCall(body=orjson.dumps(body), **changes)


def code_of(response: httpx2.Response) -> Any:
    """The status, or of a problem its code."""
    return response.json()["code"] if response.status_code >= 400 else response.status_code
