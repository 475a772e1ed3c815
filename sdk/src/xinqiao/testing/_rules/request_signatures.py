"""Signatures of requests at the fake gateway (RFC 9421): verified as the gateway does, or required."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import jwt

from xinqiao._core.signatures.exchange import REQUEST_HEADERS, combine_fields
from xinqiao._core.signatures.http_signatures import REQUEST_TAG
from xinqiao._core.signatures.jose import SigningKey
from xinqiao._core.signatures.request_signatures import request_components, verify_request
from xinqiao.errors import SignatureInvalid

from . import lifetimes
from .http_rules import problem_of

_CREATED: Final = re.compile(r";created=([0-9]{1,11})")


def signature_refusal(
    request: httpx2.Request, client_jwk: Mapping[str, Any], *, required: bool, now: float
) -> httpx2.Response | None:
    """The refusal of a wrong or missing signature; `None` if the request is accepted."""
    headers = combine_fields(request.headers, REQUEST_HEADERS)
    if f';tag="{REQUEST_TAG}"' not in headers.get("signature-input", ""):
        return problem_of("signature_required") if required else None
    try:
        _check(request, headers, client_jwk, now)
    except SignatureInvalid as error:
        return problem_of("signature_invalid", detail=error.detail)
    return None


def _check(
    request: httpx2.Request, headers: Mapping[str, str], client_jwk: Mapping[str, Any], now: float
) -> None:
    key, has_body = SigningKey.of(client_jwk), bool(request.content)
    covered = request_components(request.method, str(request.url), headers, has_body=has_body)
    public = {**key.public_jwk, "kid": key.kid or key.thumbprint}
    nonce = verify_request(headers, covered, public)
    made = _CREATED.search(headers["signature-input"])
    skew, window = lifetimes.SKEW.total_seconds(), lifetimes.PROOF.total_seconds()
    if made is None or not now - window - skew <= int(made[1]) <= now + skew:
        raise SignatureInvalid("created is not now; check the clock.", reason="created")
    proof = jwt.decode(request.headers["dpop"], options={"verify_signature": False})
    if nonce != proof["jti"]:
        raise SignatureInvalid(
            "nonce is not the jti of the request's DPoP proof.", reason="signature"
        )
