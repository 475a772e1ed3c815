"""Response signing of the fake gateway, and its JSON and problem answers."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from xinqiao._core.signatures.exchange import Exchange, sha256_digest
from xinqiao._core.signatures.http_signatures import (
    ALGORITHM,
    LABEL,
    TAG,
    components,
    signature_base,
    tagged_signature,
)
from xinqiao._core.wire.serialization import canonical_json, compact_json
from xinqiao.testing._rules.published import PROBLEMS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROBLEM: Final = "application/problem+json"


class ResponseSigner:
    """Signer of answers with one Ed25519 key."""

    def __init__(self, kid: str) -> None:
        """Make a new key."""
        self.kid = kid
        self._key = Ed25519PrivateKey.generate()

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as the issuer publishes it."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": _x(self._key.public_key()),
            "kid": self.kid,
            "use": "sig",
            "alg": "EdDSA",
            "xinqiao_use": "response",
        }

    def signed_manifest(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The last line of a batch."""
        signature = base64.b64encode(self._key.sign(canonical_json(manifest))).decode()
        return {"manifest": dict(manifest), "keyid": self.kid, "signature": signature}

    def signed_report(self, report: Mapping[str, Any]) -> bytes:
        """The file of a credit report."""
        signature = base64.urlsafe_b64encode(self._key.sign(canonical_json(report))).decode()
        document = {"report": report, "keyid": self.kid, "signature": signature.rstrip("=")}
        return compact_json(document)

    def sign(
        self,
        request: httpx2.Request,
        response: httpx2.Response,
        *,
        created: int,
        tag: str = TAG,
        keyid: str | None = None,
    ) -> httpx2.Response:
        """Add digest and signature, bound to this request, to the response."""
        response.headers["Content-Digest"] = sha256_digest(response.content)
        response.request = request
        exchange = Exchange.of(response)
        if "content-digest" not in exchange.request_headers:  # which the wire leaves to the client
            exchange = replace(exchange, request_body=b"")
        covered = components(_with_readable_signature(exchange))
        names = " ".join(name for name, _ in covered)
        params = (
            f'({names});created={created};keyid="{keyid or self.kid}";alg="{ALGORITHM}";tag="{tag}"'
        )
        signature = base64.b64encode(self._key.sign(signature_base(covered, params))).decode()
        response.headers["Signature-Input"] = f"{LABEL}={params}"
        response.headers["Signature"] = f"{LABEL}=:{signature}:"
        return response


def _with_readable_signature(exchange: Exchange) -> Exchange:
    """The exchange with the one signature of the request that can be covered, or with none."""
    found = tagged_signature(exchange.request_headers)
    headers = {name: each for name, each in exchange.request_headers.items() if name != "signature"}
    signed = {} if found is None else {"signature": found}
    return replace(exchange, request_headers=headers | signed)


def json_response(
    status: int,
    body: Mapping[str, Any] | None,
    *,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> httpx2.Response:
    """Make an answer; without a body it has no content type."""
    if body is None:
        return httpx2.Response(status, headers=headers)
    return httpx2.Response(
        status, json=body, headers={**(headers or {}), "Content-Type": media_type}
    )


def problem(
    status: int,
    code: str,
    *,
    retry_after: int | None = None,
    headers: Mapping[str, str] | None = None,
    warnings: Sequence[str] = (),
    detail: str | None = None,
) -> httpx2.Response:
    """Make a problem document (RFC 9457), in the gateway's words; `with_request_id` completes it."""
    told = {
        "Cache-Control": "no-store",
        **(headers or {}),
        **({} if retry_after is None else {"Retry-After": str(retry_after)}),
    }
    published = PROBLEMS.get(code, {})
    body: dict[str, Any] = {
        "type": f"urn:xinqiao:problem:{code}",
        "title": published.get("title", code),
        "status": status,
        "code": code,
        "detail": detail or published.get("detail", code),
        "request_id": None,
        **({"warnings": list(warnings)} if warnings else {}),
    }
    return json_response(status, body, headers=told, media_type=_PROBLEM)


def request_id_of(request: httpx2.Request) -> str:
    """The caller's own id, or a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_urlsafe(12)


def with_request_id(response: httpx2.Response, request_id: str) -> httpx2.Response:
    """The response with its id; of a problem in its document too."""
    response.headers.setdefault("X-Request-Id", request_id)
    if response.headers.get("Content-Type") != _PROBLEM:
        return response
    body = {**response.json(), "request_id": response.headers["X-Request-Id"]}
    left = {each: value for each, value in response.headers.items() if each != "content-length"}
    return httpx2.Response(response.status_code, json=body, headers=left)


def _x(key: Ed25519PublicKey) -> str:
    return base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()
