"""Verification of a request's own signature, where it has one (RFC 9421): form, use, key.

A signature is good for one request, as the DPoP proof is whose `jti` is its `nonce`; over mutual TLS without
a proof the nonce is taken once. The keys are the client's own, as registered now.
"""

from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.access.dpop import SKEW_SECONDS, WINDOW_SECONDS, Proof
from gateway.access.errors import SignatureInvalidError
from gateway.access.http.head_requests import method_of
from gateway.clients.key_sets import ClaimedSigner
from gateway.clients.registry import find_signer
from gateway.disclosure.signed_requests import (
    WITHOUT_ENTERPRISE,
    keep_request,
    signed_request_text,
)
from gateway.runtime import Runtime
from gateway.signing.request_signatures import (
    RequestSignature,
    SignatureError,
    SignedParts,
    read_signature,
)

INPUT: Final = "signature-input"
SIGNED: Final = "signed_request"
"""In a request's state, the verified request as it is kept."""


def request_signature(headers: Headers) -> RequestSignature | None:
    """The request's signature, not yet verified; raises `SignatureInvalidError` for its form."""
    inputs = headers.getlist(INPUT)
    if not inputs:
        return None
    try:
        return read_signature(inputs, headers.getlist("signature"))
    except SignatureError as error:
        raise SignatureInvalidError(str(error)) from None


def covered_signature(scope: Scope) -> tuple[str, str] | None:
    """Label and value of a well-formed signature, which the answer's signature covers."""
    try:
        found = request_signature(Headers(scope=scope))
    except SignatureInvalidError:
        return None
    return None if found is None else (found.label, found.value)


async def verify_signature(
    request: Request,
    runtime: Runtime,
    signature: RequestSignature,
    *,
    client_id: str,
    proof: Proof | None,
) -> None:
    """Note the request as signed by its client; raises `SignatureInvalidError` unless it is.

    That is: unless a key of the client's made the signature for this very request.
    """
    claimed, now = ClaimedSigner(client_id=client_id, kid=signature.keyid), runtime.now()
    client = await find_signer(runtime.hot, claimed, now=now, loopback=runtime.settings.demo)
    try:
        signature.check_time(now.timestamp(), window=WINDOW_SECONDS, skew=SKEW_SECONDS)
        signature.check_nonce(None if proof is None else proof.jti)
        parts = signed_parts(request, runtime)
        key = signature.verify(parts, () if client is None else client.keys)
    except SignatureError as error:
        raise SignatureInvalidError(str(error)) from None
    setattr(request.state, SIGNED, signed_request_text(signature, parts, key))


async def keep_signed(
    request: Request,
    runtime: Runtime,
    *,
    client_id: str,
    subject_id: str,
    uscc: str = WITHOUT_ENTERPRISE,
) -> None:
    """Keep a request with what it is about to be answered with, if it was signed."""
    text = getattr(request.state, SIGNED, None)
    if text is not None:
        await keep_request(
            runtime.hot, runtime.vault, text,
            client_id=client_id, uscc=uscc, subject_id=subject_id, now=runtime.now(),
        )  # fmt: skip


def signed_parts(request: Request, runtime: Runtime) -> SignedParts:
    """The parts of a request that its signature covers; raises `SignatureError` if one is missing."""
    headers = request.headers
    content = _combined(headers, "content-type"), _combined(headers, "content-digest")
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    if has_body and None in content:
        raise SignatureError(
            "A signed body has a Content-Type and a Content-Digest; a chunked one counts as a body."
        )
    origin = runtime.settings.origin_at(headers.get("host"))
    return SignedParts(
        method=method_of(request),
        target_uri=origin + signed_target(request.scope).decode("latin-1"),
        content=(content[0] or "", content[1] or "") if has_body else None,
    )


def signed_target(scope: Scope) -> bytes:
    """Path and query, byte for byte as sent (RFC 9421 §2.2.2)."""
    target: bytes | None = scope.get("target")  # set by `gateway.http1`
    if target is not None:
        return target
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return path + b"?" + query if query else path


def _combined(headers: Headers, name: str) -> str | None:
    """All lines of a field, combined (RFC 9421 §2.1)."""
    return ", ".join(line.strip(" \t") for line in headers.getlist(name)) or None
