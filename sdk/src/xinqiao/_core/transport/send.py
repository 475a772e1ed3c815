"""Sending requests: DPoP proofs, retries, time limits, connection errors as `ServerUnavailable`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

import httpx2

from xinqiao._core import flow
from xinqiao._core.session import USER_AGENT, Server, Session
from xinqiao._core.signatures import jose
from xinqiao.errors import AnswerLost, LimitReached, ServerUnavailable, XinqiaoError

from .connection_errors import unavailable
from .retry import may_repeat, parse_retry_after
from .time_limit import within

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow, OpenedAnswer

T = TypeVar("T")
_log: Final = logging.getLogger("xinqiao")

#: Seconds from which a difference of clocks is worth a word; the gateway forgives ten.
NOTABLE_SKEW: Final = 8


EARLIER: Final = "An earlier try of this call was sent, and its answer was lost."


def with_retries(
    session: Session,
    attempt: Callable[[], Flow[T]],
    *,
    idempotent: bool,
    once: bool = False,
    held: int = 0,
    lost: str | None = None,
) -> Flow[T]:
    """Repeat an attempt while error, retry policy and deadline allow it; `once`: not after any answer.

    The server may hold the call for `held` seconds, which come on top of the policy's `total`. `lost` is as
    in `unavailable`: it leads the error of a later try that failed in another way.
    """
    tries = _tries(session, attempt, idempotent=idempotent, once=once, lost=lost)
    total = _total(session)
    return tries if total is None else within(tries, session, seconds=total + held)


def _total(session: Session) -> float | None:
    return session.settings.retry.total


def _tries(
    session: Session,
    attempt: Callable[[], Flow[T]],
    *,
    idempotent: bool,
    once: bool,
    lost: str | None,
) -> Flow[T]:
    policy, world = session.settings.retry, session.world
    started, sent = world.ticks(), False
    for tried in count():
        try:
            return (yield from attempt())
        except XinqiaoError as error:
            elapsed = world.ticks() - started
            wait = policy.wait(tried, error, elapsed=elapsed, chance=world.chance)
            if wait is None or not may_repeat(error, idempotent=idempotent, once=once):
                if sent:
                    raise _after_lost_try(error, lost) from error
                raise
            sent = sent or isinstance(error, AnswerLost)
            _log.info("%s; try %d in %.1f s", type(error).__name__, tried + 2, wait)
        yield from flow.pause(wait)
    raise AssertionError  # count() never ends


def _after_lost_try(error: XinqiaoError, lost: str | None) -> XinqiaoError:
    """The error of a call of which an earlier try may have been carried out; what is open comes first."""
    if isinstance(error, AnswerLost) or not isinstance(error, ServerUnavailable | LimitReached):
        return error
    kind = type(error) if isinstance(error, LimitReached) else AnswerLost
    return kind(
        " ".join(filter(None, (lost, EARLIER, f"The last try: {error.detail}"))),
        code=error.code,
        status=error.status,
        title=error.title,
        request_id=error.request_id,
        retry_after=error.retry_after,
        warnings=error.warnings,
    )


def exchange(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    timeout: float | None = None,
    lost: str | None = None,
) -> Flow[httpx2.Response]:
    """Send one request; a failed connection raises `ServerUnavailable`.

    `timeout`, in seconds, takes the place of the client's own. `lost` is as in `unavailable`.
    """
    request = new_request(method, url, headers=headers, content=content, timeout=timeout)
    try:
        response = yield from flow.send(request)
    except httpx2.RequestError as error:
        raise unavailable(error, request, lost=lost) from error
    # Path and id alone: a query or a body may name an enterprise.
    named = response.headers.get("x-request-id", "-")
    _log.debug("%s %s: %d (request %s)", method, request.url.path, response.status_code, named)
    return response


def stream_request(
    method: str, url: str, headers: Mapping[str, str], content: bytes, timeout: float
) -> Flow[OpenedAnswer]:
    """Send one request and leave the body of a success unread; as `exchange` otherwise."""
    request = new_request(method, url, headers=headers, content=content, timeout=timeout)
    try:
        return (yield from flow.open_answer(request))
    except httpx2.RequestError as error:
        raise unavailable(error, request, lost=None) from error


def new_request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    timeout: float | None = None,
) -> httpx2.Request:
    """A request with the SDK's own headers."""
    return httpx2.Request(
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


def proof(
    session: Session,
    server: Server,
    method: str,
    url: str,
    access_token: str | None = None,
    jti: str | None = None,
) -> str:
    """Make a fresh DPoP proof with the newest nonce of the server, and a new `jti` unless one is given."""
    return jose.dpop_proof(
        session.settings.dpop_key,
        method=method,
        uri=url,
        now=session.now(),
        jti=jti or session.world.new_id(),
        nonce=session.nonces.get(server),
        access_token=access_token,
    )


def retry_after(session: Session, headers: Mapping[str, str]) -> int | None:
    """Seconds that the server's Retry-After asks to wait."""
    return parse_retry_after(headers.get("retry-after"), now=session.now())


def clock_hint(session: Session, headers: Mapping[str, str]) -> str | None:
    """A sentence on this machine's clock, where the answer's `Date` is far from it.

    The field is not signed, so that it explains a refusal and decides nothing.
    """
    try:
        theirs = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    ahead = round(session.now() - theirs)
    if abs(ahead) < NOTABLE_SKEW:
        return None
    side = "ahead of" if ahead > 0 else "behind"
    return f"This machine's clock is {abs(ahead)} seconds {side} the gateway's."
