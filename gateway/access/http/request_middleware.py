"""Outermost ASGI middleware: request id, deadline, headers, fault response, response signature.

The signature covers the response and its request (`signing.http_signatures`), refusals too. A body is
buffered until it is complete, so that nothing is sent unsigned.
"""

import re
import secrets
from collections.abc import Callable, Hashable, Iterable

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access.http import body
from gateway.access.http.deadline import DEADLINE, Deadline
from gateway.access.http.head_requests import as_routed
from gateway.access.latency import observe
from gateway.access.request_signature import covered_signature, signed_target
from gateway.runtime import Runtime
from gateway.signing.http_signatures import SignedRequest, signature_headers

SIGNED_PREFIX = "/v1"
REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{1,64}")
Headers = list[tuple[bytes, bytes]]
SIGNATURES = "signatures"
"""In a request's state, the signatures kept with its page: a page and its request are signed once.

A handler sets it for a page with few different requests.
"""
STREAMED = "streamed"
"""In a request's state, true for an answer that is sent as it is made, and signs itself at its end."""
METHODS_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""No handler reads the body of these; its `Content-Digest` is checked all the same."""


class RequestMiddleware:
    """The outermost middleware; `on_fault` makes the response to an unhandled exception."""

    def __init__(self, app: ASGIApp, on_fault: Callable[[Request, Exception], ASGIApp]) -> None:
        self._app = app
        self._on_fault = on_fault

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope["headers"])
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["method"] = scope["method"]
        state["headers"] = {}
        state["content_digest"] = None
        bound = structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._serve(scope, receive, send)
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = _SigningSend(scope, send)
        try:
            runtime: Runtime = scope["app"].state.runtime
            async with Deadline(runtime.settings.request_timeout) as deadline:
                scope["state"][DEADLINE] = deadline
                received = deadline.receiving(receive)
                await _check_digest(scope, received)
                await self._app(as_routed(scope), received, sending)
        except Exception as error:
            if sending.has_begun:
                raise
            answer = self._on_fault(Request(scope), error)
            await answer(scope, receive, sending)


class _SigningSend:
    """An ASGI `send` that buffers and signs a response under /v1 and passes others through."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._signs = _is_signed(scope)
        self._is_head = scope["method"] == "HEAD"
        self._start: Message | None = None
        self._body = bytearray()

    @property
    def has_begun(self) -> bool:
        """True once the response has started."""
        return self._start is not None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            extra = [(name.lower().encode(), value.encode()) for name, value in self._extra()]
            present = {name.lower() for name, _ in message["headers"]}
            missing = [pair for pair in extra if pair[0] not in present]
            self._start = {**message, "headers": [*message["headers"], *missing]}
            self._signs = self._signs or self._is_code_json(message["headers"])
            self._signs = self._signs and not self._scope["state"].get(STREAMED, False)
            if not self._signs:
                await self._begin(self._start)
            return
        if self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        if not self._signs or self._start is None:
            await self._send(message)
            self._scope["state"][DEADLINE].renew()
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._begin(self._signed(self._start, bytes(self._body)))
            await self._send({"type": "http.response.body", "body": bytes(self._body)})

    async def _begin(self, start: Message) -> None:
        """Send the first of the answer."""
        await self._send(start)
        deadline: Deadline | None = self._scope["state"].get(DEADLINE)
        if deadline is not None:
            observe(self._scope, start["status"], deadline.since_arrival())

    def _is_code_json(self, headers: Headers) -> bool:
        """True for an enterprise code's page as JSON."""
        content_type = _first(headers, b"content-type") or ""
        return _is_code_page(self._scope) and "json" in content_type

    def _extra(self) -> Iterable[tuple[str, str]]:
        state = self._scope["state"]
        return {"X-Request-Id": state["request_id"], **state["headers"]}.items()

    def _signed(self, start: Message, body: bytes) -> Message:
        runtime: Runtime = self._scope["app"].state.runtime
        now = runtime.now()
        headers: Headers = start["headers"]
        signer = runtime.keys.current("response", now)
        origin = runtime.settings.origin_at(_first(self._scope["headers"], b"host"))
        request = signed_request(self._scope, origin)
        kept: dict[Hashable, Headers] = self._scope["state"].get(SIGNATURES, {})
        signature = kept.get((request, signer.kid))
        if signature is None:
            signature = signature_headers(
                request,
                status=start["status"],
                # No content type without content (RFC 9530 B.2 for HEAD).
                content_type=_first(headers, b"content-type") if body else None,
                body=body,
                signer=signer,
                created=int(now.timestamp()),
            )
            kept[request, signer.kid] = signature
        return {**start, "headers": [*headers, *signature]}


async def _check_digest(scope: Scope, receive: Receive) -> None:
    """Check `Content-Digest` where no handler reads the body."""
    if scope["method"] not in METHODS_WITHOUT_BODY or not (
        _is_signed(scope) or _is_code_page(scope)
    ):
        return
    if _first(scope["headers"], b"content-digest") is not None:
        await body.read_body(Request(scope, receive))


def _is_signed(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == SIGNED_PREFIX or path.startswith(f"{SIGNED_PREFIX}/")


def _is_code_page(scope: Scope) -> bool:
    return str(scope["path"])[:3].upper() == "/E/"


def signed_request(scope: Scope, issuer: str) -> SignedRequest:
    """The request as the signature covers it: with a digest only if the body was compared with it."""
    return SignedRequest(
        method=scope["method"],
        target_uri=issuer + signed_target(scope).decode("latin-1"),
        content_digest=scope["state"]["content_digest"],
        signature=covered_signature(scope) if _is_signed(scope) else None,
    )


def _first(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str | None:
    return next(
        (value.decode("latin-1") for name, value in headers if name.lower() == wanted), None
    )


def _request_id(headers: Headers) -> str:
    """The caller's `X-Request-Id` if well formed, else a new id."""
    given = _first(headers, b"x-request-id")
    if given is not None and REQUEST_ID.fullmatch(given.encode("latin-1")):
        return given
    return secrets.token_urlsafe(12)
