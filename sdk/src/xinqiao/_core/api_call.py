"""One call of /v1: token, proof, nonce, digest, idempotency, retries; and a verified answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx2

from xinqiao._core.verify_response import verified
from xinqiao.errors import ConfigurationError

from .evidence import Evidence
from .exchange import sha256_digest
from .oauth import access_token, forget_token
from .problems import members, problem_error
from .session import Session
from .transport import exchange, patiently, proof, retry_after

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

_REPEATABLE: Final = frozenset({"GET", "HEAD", "DELETE", "PUT"})
_UNAUTHORIZED: Final = 401
_REFUSED: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A logical call; its idempotency key is the same over all its tries."""

    method: str
    url: str
    scope: str | None
    body: bytes = field(repr=False, default=b"")
    #: By name in lower case.
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def idempotent(self) -> bool:
        """Tell whether doing it twice is the same as doing it once."""
        return self.method in _REPEATABLE or "idempotency-key" in self.headers


def call(
    session: Session,
    method: str,
    target: str,
    *,
    scope: str | None,
    body: Mapping[str, Any] | None = None,
    spends: bool = False,
) -> Flow[Evidence]:
    """Call and raise unless the answer is a success."""
    made = new_call(session, method, target, scope=scope, body=body, spends=spends)
    return (
        yield from patiently(session, lambda: _succeed(session, made), idempotent=made.idempotent)
    )


def new_call(
    session: Session,
    method: str,
    target: str,
    *,
    scope: str | None,
    body: Mapping[str, Any] | bytes | None = None,
    spends: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Call:
    """Prepare a call: `target` is a path or an address on the issuer's origin."""
    content = body if isinstance(body, bytes) else _written(body)
    own = {"idempotency-key": session.world.new_id()} if spends else {}
    if content:
        own |= {"content-type": "application/json", "content-digest": sha256_digest(content)}
    return Call(
        method=method.upper(),
        url=on_origin(session.settings.issuer, target),
        scope=session.settings.scope or scope,
        body=content,
        headers=own | {name.lower(): value for name, value in (headers or {}).items()},
    )


def answered(session: Session, made: Call) -> Flow[Evidence]:
    """Try once and return the verified answer, whatever its status."""
    return (yield from _answered(session, made))[0]


def _answered(session: Session, made: Call) -> Flow[tuple[Evidence, httpx2.Headers]]:
    """Use a nonce that the server asks for, and renew a token that it refuses, once each."""
    spare = {"use_dpop_nonce": 1, "invalid_token": 1}
    while True:
        token = yield from access_token(session, made.scope)
        response = yield from _sent(session, made, token)
        evidence = yield from verified(session, response)
        session.note_nonce("resource", response.headers)
        reason = _challenge(response)
        if not spare.get(reason):
            return evidence, response.headers
        spare[reason] -= 1
        if reason == "invalid_token":
            forget_token(session, made.scope, token)


def headers_of(session: Session, made: Call) -> Flow[Mapping[str, str]]:
    """Make the headers of a call that somebody else will send, with a fresh nonce of the server.

    The nonce comes with the refusal of a call without one; had the server let it pass, its body,
    which is empty, would have been refused.
    """
    token = yield from access_token(session, made.scope)
    session.nonces.pop("resource", None)
    probe = new_call(session, "POST", "/v1/verifications", scope=made.scope)
    response = yield from _sent(session, probe, token)
    yield from verified(session, response)
    session.note_nonce("resource", response.headers)
    return _with_proof(session, made, token)


def _sent(session: Session, made: Call, token: str) -> Flow[httpx2.Response]:
    headers = _with_proof(session, made, token)
    return (yield from exchange(made.method, made.url, headers=headers, content=made.body))


def _with_proof(session: Session, made: Call, token: str) -> dict[str, str]:
    return {
        **made.headers,
        "authorization": f"DPoP {token}",
        "dpop": proof(session, "resource", made.method, made.url, token),
    }


def _succeed(session: Session, made: Call) -> Flow[Evidence]:
    evidence, headers = yield from _answered(session, made)
    if evidence.status >= _REFUSED:
        raise problem_error(
            evidence.status,
            evidence.body,
            request_id=headers.get("x-request-id"),
            retry_after=retry_after(session, headers),
        )
    return evidence


def on_origin(issuer: str, target: str) -> str:
    """Complete a path to an address; a token never leaves for another origin."""
    url = f"{issuer}{target}" if target.startswith("/") else target
    ours, theirs = urlsplit(issuer), urlsplit(url)
    if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):
        raise ConfigurationError(f"Only addresses on {issuer} can be called.")
    return str(httpx2.URL(url))


def _challenge(response: httpx2.Response) -> str:
    """Say why an already verified 401 was given."""
    if response.status_code != _UNAUTHORIZED:
        return ""
    named = members(response.content).get("code")
    if 'error="use_dpop_nonce"' in response.headers.get("www-authenticate", ""):
        return "use_dpop_nonce"
    return named if isinstance(named, str) else ""


def _written(body: Mapping[str, Any] | None) -> bytes:
    if body is None:
        return b""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
