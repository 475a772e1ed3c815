"""Ways to tamper with a signed answer of the fake gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import httpx2

from xinqiao._core.signatures.exchange import sha256_digest
from xinqiao.testing._endpoints.signing import ResponseSigner

Part: TypeAlias = Literal[
    "body", "status", "content-type", "target-uri", "method", "unsigned", "tag", "key",
    "unknown-key", "old", "replay", "signature", "digest",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    """An unsigned answer to tamper with, and its signer."""

    signer: ResponseSigner
    now: int
    request: httpx2.Request
    response: httpx2.Response

    def signed(self, request: httpx2.Request | None = None, **options: str) -> httpx2.Response:
        """Sign as the gateway would, or as if for another request."""
        return self.signer.sign(request or self.request, self.response, created=self.now, **options)


def _body(t: Tampering) -> httpx2.Response:
    signed = t.signed()
    return _rebuild_response(signed, content=signed.content.replace(b'"no', b'"ye') + b" ")


def _digest(t: Tampering) -> httpx2.Response:
    forged = _body(t)
    forged.headers["Content-Digest"] = sha256_digest(forged.content)
    return forged


def _status(t: Tampering) -> httpx2.Response:
    signed = t.signed()
    return _rebuild_response(signed, status=201 if signed.status_code == 200 else 200)  # noqa: PLR2004


def _content_type(t: Tampering) -> httpx2.Response:
    signed = t.signed()
    signed.headers["Content-Type"] = "text/plain"
    return signed


def _target_uri(t: Tampering) -> httpx2.Response:
    url = t.request.url.copy_with(path=t.request.url.path + "x")
    return t.signed(_rebuild_request(t.request, url=url))


def _method(t: Tampering) -> httpx2.Response:
    return t.signed(_rebuild_request(t.request, method="PUT"))


def _replay(t: Tampering) -> httpx2.Response:
    other = _rebuild_request(t.request, content=t.request.content + b" ")
    return t.signed(other)


def _unsigned(t: Tampering) -> httpx2.Response:
    return t.response


def _tag(t: Tampering) -> httpx2.Response:
    return t.signed(tag="xinqiao-request")


def _key(t: Tampering) -> httpx2.Response:
    stranger = ResponseSigner(t.signer.kid)
    return stranger.sign(t.request, t.response, created=t.now)


def _unknown_key(t: Tampering) -> httpx2.Response:
    return t.signed(keyid="nobody-knows")


def _old(t: Tampering) -> httpx2.Response:
    return t.signer.sign(t.request, t.response, created=t.now - 3600)


def _signature(t: Tampering) -> httpx2.Response:
    signed = t.signed()
    signed.headers["Signature"] = f"xinqiao=:{'A' * 86}==:"
    return signed


TAMPERINGS: Final[dict[Part, Callable[[Tampering], httpx2.Response]]] = {
    "body": _body,
    "digest": _digest,
    "status": _status,
    "content-type": _content_type,
    "target-uri": _target_uri,
    "method": _method,
    "replay": _replay,
    "unsigned": _unsigned,
    "tag": _tag,
    "key": _key,
    "unknown-key": _unknown_key,
    "old": _old,
    "signature": _signature,
}


def _rebuild_response(
    response: httpx2.Response, *, status: int | None = None, content: bytes | None = None
) -> httpx2.Response:
    return httpx2.Response(
        status or response.status_code,
        content=response.content if content is None else content,
        headers=_without_length(dict(response.headers)),
    )


def _without_length(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-length"}


def _rebuild_request(
    request: httpx2.Request,
    *,
    method: str | None = None,
    url: httpx2.URL | None = None,
    content: bytes | None = None,
) -> httpx2.Request:
    body = request.content if content is None else content
    headers = _without_length(dict(request.headers))
    if content is not None:
        headers["content-digest"] = sha256_digest(content)
    return httpx2.Request(
        method or request.method, url or request.url, headers=headers, content=body
    )
