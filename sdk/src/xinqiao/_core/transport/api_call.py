"""One signed-answer call under /v1: token, DPoP proof, nonce, digest, idempotency key, retries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2

from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.signatures.exchange import sha256_digest
from xinqiao._core.signatures.request_signatures import request_components, sign_request
from xinqiao._core.transport.verify_response import verify_response
from xinqiao._core.wire.unknown_names import name_unknown
from xinqiao.errors import ConfigurationError, RequestRefused

from .oauth import access_token, forget_token
from .problems import json_members, problem_error
from .send import clock_hint, exchange, proof, retry_after, with_retries

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

_REPEATABLE: Final = frozenset({"GET", "HEAD", "DELETE", "PUT"})
_SAFE: Final = frozenset({"GET", "HEAD"})
_READ: Final = "It only reads: it is safe to repeat."
_UNAUTHORIZED: Final = 401
_REFUSED: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One logical API call; its idempotency key is the same for all tries."""

    method: str
    url: str
    scope: str | None
    body: bytes = field(repr=False, default=b"")
    #: By name in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float

    @property
    def idempotent(self) -> bool:
        """True if repeating the call has no further effect."""
        return self.method in _REPEATABLE or "idempotency-key" in self.headers

    @property
    def lost(self) -> str:
        """Sentence on a call that was sent and whose answer is lost."""
        if (key := self.headers.get("idempotency-key")) is not None:
            return (
                "A use may have been spent: repeated with the same idempotency key "
                f"({key}), the call spends no other."
            )
        return _READ if self.method in _SAFE else "It may have been carried out."


def call(
    session: Session,
    method: str,
    target: str,
    *,
    scope: str | None,
    body: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    idempotent: bool = False,
    wait: int = 0,
) -> Flow[Evidence]:
    """Call with retries; raise the error of an answer that is not a success.

    `idempotent` marks a POST that may be repeated without a key. The server may hold the call for `wait`
    seconds.
    """
    headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
    made = new_call(session, method, target, scope=scope, body=body, headers=headers, wait=wait)
    try:
        return (yield from send_with_retries(session, made, idempotent=idempotent, held=wait))
    except RequestRefused as error:
        name_unknown(error, body or {})
        raise


def send_with_retries(
    session: Session, made: Call, *, idempotent: bool = False, held: int = 0
) -> Flow[Evidence]:
    """Send with retries; raise the error of an answer that is not a success.

    The server may hold the call for `held` seconds.
    """
    return (
        yield from with_retries(
            session,
            lambda: send_or_raise(session, made),
            idempotent=idempotent or made.idempotent,
            held=held,
            lost=made.lost,
        )
    )


def new_call(
    session: Session,
    method: str,
    target: str,
    *,
    scope: str | None,
    body: Mapping[str, Any] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    wait: int = 0,
) -> Call:
    """Prepare a call: `target` is a path or an address on the issuer's origin."""
    content = body if isinstance(body, bytes) else _json_bytes(body)
    if not all(map(_can_be_sent, (headers or {}).values())):
        raise ConfigurationError("A header is printable ASCII, without a space at its ends.")
    own = {}
    if content:
        own = {"content-type": "application/json", "content-digest": sha256_digest(content)}
    return Call(
        method=method.upper(),
        url=resolve_on_issuer(session.settings.issuer, target),
        scope=session.settings.scope or scope,
        body=content,
        headers=own | {name.lower(): value for name, value in (headers or {}).items()},
        timeout=session.settings.timeout + wait,
    )


def send_once(session: Session, made: Call) -> Flow[Evidence]:
    """Send without retries; return the verified answer, whatever its status."""
    return (yield from _send_with_recovery(session, made))[0]


def _send_with_recovery(session: Session, made: Call) -> Flow[tuple[Evidence, httpx2.Headers]]:
    """Send; once each, repeat with the nonce that the server asks for and with a new token."""
    spare = {"use_dpop_nonce": 1, "invalid_token": 1}
    while True:
        token = yield from access_token(session, made.scope)
        response = yield from _send(session, made, token)
        evidence = yield from verify_response(session, response, lost=made.lost)
        session.note_nonce("resource", response.headers)
        reason = challenge_code(response)
        if not spare.get(reason):
            return evidence, response.headers
        spare[reason] -= 1
        if reason == "invalid_token":
            forget_token(session, made.scope, token)


def make_headers(session: Session, made: Call) -> Flow[Mapping[str, str]]:
    """Headers of a call that another program will send, with a fresh nonce of the server.

    The nonce comes with the refusal of a probe without one; its empty body would be refused anyway.
    """
    token = yield from access_token(session, made.scope)
    session.nonces.pop("resource", None)
    probe = new_call(session, "POST", "/v1/verifications", scope=made.scope)
    response = yield from _send(session, probe, token)
    yield from verify_response(session, response, lost=probe.lost)
    session.note_nonce("resource", response.headers)
    return headers_with_proof(session, made, token)


def _send(session: Session, made: Call, token: str) -> Flow[httpx2.Response]:
    headers = headers_with_proof(session, made, token)
    return (
        yield from exchange(
            made.method,
            made.url,
            headers=headers,
            content=made.body,
            timeout=made.timeout,
            lost=made.lost,
        )
    )


def headers_with_proof(session: Session, made: Call, token: str) -> dict[str, str]:
    """The headers of a call, with a fresh proof, and the call's signature where the client signs."""
    settings, jti = session.settings, session.world.new_id()
    headers = {
        **made.headers,
        "authorization": f"DPoP {token}",
        "dpop": proof(session, "resource", made.method, made.url, token, jti),
    }
    if not settings.sign_requests:
        return headers
    covered = request_components(made.method, made.url, made.headers, has_body=bool(made.body))
    return headers | sign_request(
        settings.client_key, covered, created=int(session.now()), nonce=jti
    )


def send_or_raise(session: Session, made: Call) -> Flow[Evidence]:
    """Send without retries; raise the error of an answer that is not a success."""
    evidence, headers = yield from _send_with_recovery(session, made)
    if evidence.status >= _REFUSED:
        raise problem_error(
            evidence.status,
            evidence.body,
            request_id=headers.get("x-request-id"),
            retry_after=retry_after(session, headers),
            clock=clock_hint(session, headers),
        )
    return evidence


def resolve_on_issuer(issuer: str, target: str) -> str:
    """Resolve a path against the issuer; refuse another origin, so that no token is sent there."""
    url = f"{issuer}{target}" if target.startswith("/") else target
    ours, theirs = urlsplit(issuer), urlsplit(url)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise ConfigurationError(f"Only addresses on {issuer} can be called.")
    return str(httpx2.URL(url))


def challenge_code(response: httpx2.Response) -> str:
    """Reason code of an already verified 401, or an empty string."""
    if response.status_code != _UNAUTHORIZED:
        return ""
    named = json_members(response.content).get("code")
    if 'error="use_dpop_nonce"' in response.headers.get("www-authenticate", ""):
        return "use_dpop_nonce"
    return named if isinstance(named, str) else ""


def _can_be_sent(value: str) -> bool:
    return value.isascii() and value == value.strip() and (value.isprintable() or not value)


def _json_bytes(body: Mapping[str, Any] | None) -> bytes:
    if body is None:
        return b""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (TypeError, ValueError):
        # The cause would hold the whole body.
        raise ConfigurationError(
            "The request holds what JSON has not: give texts, numbers, lists and mappings."
        ) from None
