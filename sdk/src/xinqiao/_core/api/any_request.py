"""Requests that have no method of their own: any address under /v1, or the headers for another program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xinqiao._core.evidence.answer import Evidence
from xinqiao._core.session import Session
from xinqiao._core.transport.api_call import make_headers, new_call, send_once

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow


def request(
    session: Session,
    method: str,
    target: str,
    *,
    json: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    scope: str | None = None,
) -> Flow[Evidence]:
    """Call anything under the issuer's /v1 once and return the verified answer, any status.

    For what this version has no method for. `target` is a path or an address on the issuer.
    """
    body = content if content is not None else json
    made = new_call(session, method, target, scope=scope, body=body, headers=headers)
    return (yield from send_once(session, made))


def headers_for(
    session: Session,
    method: str,
    target: str,
    *,
    json: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    scope: str | None = None,
) -> Flow[Mapping[str, str]]:
    """Make the headers (token, proof, digest) with which another program can make one such call.

    They contain the access token. A thief could make this one call with them, within seconds.
    """
    body = content if content is not None else json
    made = new_call(session, method, target, scope=scope, body=body, headers=headers)
    return (yield from make_headers(session, made))
