"""Sending requests: DPoP proofs, retries, connection errors as `ServerUnavailable`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import httpx2

from xinqiao._core import flow, jose
from xinqiao.errors import ServerUnavailable, XinqiaoError

from .retry import may_repeat, parse_retry_after
from .session import USER_AGENT, Server, Session

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow

T = TypeVar("T")


def with_retries(session: Session, attempt: Callable[[], Flow[T]], *, idempotent: bool) -> Flow[T]:
    """Repeat an attempt while error, retry policy and deadline allow it."""
    policy, world = session.settings.retry, session.world
    started = world.ticks()
    for tried in count():
        try:
            return (yield from attempt())
        except XinqiaoError as error:
            elapsed = world.ticks() - started
            wait = policy.wait(tried, error, elapsed=elapsed, chance=world.chance)
            if wait is None or not may_repeat(error, idempotent=idempotent):
                raise
        yield from flow.pause(wait)
    raise AssertionError  # count() never ends


def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    timeout: float | None = None,
) -> Flow[httpx2.Response]:
    """Send one request; a failed connection raises `ServerUnavailable`.

    `timeout`, in seconds, takes the place of the client's own.
    """
    request = httpx2.Request(
        method,
        url,
        # identity: a digest is over the bytes as they were signed
        headers={
            "user-agent": USER_AGENT,
            "accept": "application/json",
            "accept-encoding": "identity",
            **(headers or {}),
        },
        content=content,
        extensions={} if timeout is None else {"timeout": httpx2.Timeout(timeout).as_dict()},
    )
    try:
        return (yield from flow.send(request))
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise _server_unavailable(error, may_have_arrived=False) from error
    except httpx2.RequestError as error:
        raise _server_unavailable(error, may_have_arrived=True) from error


def proof(
    session: Session, server: Server, method: str, url: str, access_token: str | None = None
) -> str:
    """Make a fresh DPoP proof with the newest nonce of the server."""
    return jose.dpop_proof(
        session.settings.dpop_key,
        method=method,
        uri=url,
        now=session.now(),
        jti=session.world.new_id(),
        nonce=session.nonces.get(server),
        access_token=access_token,
    )


def retry_after(session: Session, headers: Mapping[str, str]) -> int | None:
    """Seconds that the server's Retry-After asks to wait."""
    return parse_retry_after(headers.get("retry-after"), now=session.now())


def _server_unavailable(error: httpx2.RequestError, *, may_have_arrived: bool) -> ServerUnavailable:
    # The name alone: a message could quote the address with its query.
    unavailable = ServerUnavailable(f"The gateway could not be reached: {type(error).__name__}.")
    unavailable.may_have_arrived = may_have_arrived
    return unavailable
