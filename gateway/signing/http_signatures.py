"""HTTP message signatures of responses (RFC 9421, RFC 9530), bound to the request, in one profile.

Label `xinqiao`, Ed25519, components always in the order below.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.signing.keys import Signer

LABEL = "xinqiao"
TAG = "xinqiao-response"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """The request as a response's signature covers it."""

    method: str
    target_uri: str
    content_digest: str | None
    """`None` without a body, or if the body was not compared with a digest."""
    signature: tuple[str, str] | None = None
    """Label and value of the request's own signature, if it has one (`signing.request_signatures`)."""


def content_digest(body: bytes) -> str:
    """The value of `Content-Digest` (RFC 9530) for `body`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signature_headers(
    request: SignedRequest,
    *,
    status: int,
    content_type: str | None,
    body: bytes,
    signer: Signer,
    created: int,
) -> list[tuple[bytes, bytes]]:
    """The headers `Content-Digest`, `Signature-Input` and `Signature` of one response."""
    return signature_over_digest(
        request,
        status=status,
        content_type=content_type,
        digest=content_digest(body),
        signer=signer,
        created=created,
    )


def signature_over_digest(
    request: SignedRequest,
    *,
    status: int,
    content_type: str | None,
    digest: str,
    signer: Signer,
    created: int,
) -> list[tuple[bytes, bytes]]:
    """The same headers of a response that is sent in parts, by the digest of all of it.

    Three components are optional: the content type (of a response with a body), the digest of the
    request (if its body was compared with one), and the request's own signature.
    """
    components = [('"@status"', str(status))]
    if content_type is not None:
        components.append(('"content-type"', content_type))
    components += [
        ('"content-digest"', digest),
        ('"@method";req', request.method),
        ('"@target-uri";req', request.target_uri),
    ]
    if request.content_digest is not None:
        components.append(('"content-digest";req', request.content_digest))
    if request.signature is not None:
        label, value = request.signature
        components.append((f'"signature";req;key="{label}"', value))
    names = " ".join(name for name, _ in components)
    parameters = f'({names});created={created};keyid="{signer.kid}";alg="ed25519";tag="{TAG}"'
    base = signature_base(components, parameters).encode()
    signature = base64.b64encode(signer.sign(base)).decode()
    return [
        (b"content-digest", digest.encode()),
        (b"signature-input", f"{LABEL}={parameters}".encode()),
        (b"signature", f"{LABEL}=:{signature}:".encode()),
    ]


def signature_base(components: Sequence[tuple[str, str]], parameters: str) -> str:
    """The signature base (RFC 9421 §2.5) of these components and parameters."""
    lines = [f"{name}: {value}" for name, value in components]
    return "\n".join([*lines, f'"@signature-params": {parameters}'])
