"""OAuth client: server metadata, access tokens, authenticated posts to OAuth endpoints.

These answers are protected by TLS only; they hold no data about an enterprise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx2

from xinqiao._core import flow
from xinqiao._core.session import Metadata, Session, Token
from xinqiao._core.signatures.jose import client_assertion
from xinqiao.errors import ConfigurationError, ProtocolError

from .connection_errors import named
from .problems import json_members, oauth_error
from .send import clock_hint, exchange, proof, retry_after

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OK: Final = (200, 201)
_NOT_FOUND: Final = 404


def access_token(session: Session, scope: str | None) -> Flow[str]:
    """Access token of this scope: cached, or fetched once for all callers that wait."""
    cached = session.tokens.get(scope or "")
    if cached is not None and cached.fresh(session.now()):
        return cached.value
    return (yield from flow.exclusive(_renew_token(session, scope)))


def forget_token(session: Session, scope: str | None, value: str) -> None:
    """Drop a token that was refused, unless it has been renewed already."""
    cached = session.tokens.get(scope or "")
    if cached is not None and cached.value == value:
        session.tokens.pop(scope or "", None)


def _renew_token(session: Session, scope: str | None) -> Flow[str]:
    cached = session.tokens.get(scope or "")
    if cached is not None and cached.fresh(session.now()):
        return cached.value
    form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
    server = yield from metadata(session)
    asked_at = session.now()
    answer = yield from authenticated_post(session, server.token_endpoint, form)
    value, lifetime = read_token(answer)
    session.tokens[scope or ""] = Token(value=value, ends_at=asked_at + lifetime)
    return value


def read_token(answer: Mapping[str, Any]) -> tuple[str, float]:
    """Read an access token and its lifetime in seconds; only DPoP-bound tokens are accepted."""
    value, lifetime = answer.get("access_token"), answer.get("expires_in", 0)
    if not isinstance(value, str) or not value.isascii() or type(lifetime) is not int:
        raise ProtocolError("The token endpoint's answer holds no access token.")
    if str(answer.get("token_type", "")).lower() != "dpop":
        raise ProtocolError("The token is not bound to this client's key (token_type is not DPoP).")
    return value, float(lifetime)


def authenticated_post(
    session: Session, url: str, form: Mapping[str, str], *, lost: str | None = None
) -> Flow[Mapping[str, Any]]:
    """Post a form with client assertion and DPoP proof; repeat once with the server's nonce.

    `lost` is what is open where the answer is lost; None where the post only prepares a call.
    """
    response, answer = yield from _post_once(session, url, form, lost)
    if answer.get("error") == "use_dpop_nonce":
        response, answer = yield from _post_once(session, url, form, lost)
    if response.status_code in _OK:
        return answer
    raise _read_error(session, response, lost=lost)


def _post_once(
    session: Session, url: str, form: Mapping[str, str], lost: str | None
) -> Flow[tuple[httpx2.Response, Mapping[str, Any]]]:
    settings = session.settings
    assertion = client_assertion(
        settings.client_key,
        client_id=settings.client_id,
        audience=settings.issuer,
        now=session.now(),
        jti=session.world.new_id(),
    )
    authentication = {
        "client_id": settings.client_id,
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "dpop": proof(session, "authorization", "POST", url),
    }
    content = urlencode({**form, **authentication}).encode("ascii")
    response = yield from exchange("POST", url, headers=headers, content=content, lost=lost)
    session.note_nonce("authorization", response.headers)
    return response, json_members(response.content)


def metadata(session: Session) -> Flow[Metadata]:
    """Server metadata (RFC 8414), fetched once; its endpoints must be on the issuer's origin."""
    if session.metadata is None:
        issuer = session.settings.issuer
        url = f"{issuer}/.well-known/oauth-authorization-server"
        response = yield from exchange("GET", url)
        _refuse_stranger(response, issuer)
        session.metadata = _read_metadata(_document(session, response), issuer)
    return session.metadata


def _refuse_stranger(response: httpx2.Response, issuer: str) -> None:
    """Raise `ConfigurationError` if the answer is not that of a gateway at `issuer`."""
    status = response.status_code
    if response.has_redirect_location:
        there = urlsplit(response.headers["location"])
        target = f" to {there.scheme}://{there.hostname}" if there.hostname else ""
        raise ConfigurationError(
            f"{issuer} redirects{target}: set `issuer` to the gateway's own origin.", status=status
        )
    if status == _NOT_FOUND or (status in _OK and not json_members(response.content)):
        raise ConfigurationError(
            f"What answers at {issuer} is no Xinqiao gateway: it has no authorization server "
            "metadata. Check `issuer`.",
            status=status,
        )


def get_json(session: Session, url: str) -> Flow[Mapping[str, Any]]:
    """Fetch a public document."""
    return _document(session, (yield from exchange("GET", url)))


def _document(session: Session, response: httpx2.Response) -> Mapping[str, Any]:
    if response.status_code not in _OK:
        raise _read_error(session, response)
    return json_members(response.content)


def _read_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    if document.get("issuer") != issuer:
        raise ProtocolError(f"The server at {issuer} says that it is another issuer.")
    addresses = {f.name: document.get(f.name) for f in fields(Metadata)}
    for name, address in addresses.items():
        if not isinstance(address, str) or _origin(address) != _origin(issuer):
            raise ProtocolError(f"The server's metadata has no {name} on the issuer's origin.")
    return Metadata(**{name: str(address) for name, address in addresses.items()})


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _read_error(
    session: Session, response: httpx2.Response, *, lost: str | None = None
) -> Exception:
    return oauth_error(
        response.status_code,
        response.content,
        request_id=response.headers.get("x-request-id"),
        retry_after=retry_after(session, response.headers),
        clock=clock_hint(session, response.headers),
        place=named(response.request),
        lost=lost,
    )
