"""Causes of a failed connection, as errors that say what to do. Pure.

No sentence quotes an address beyond its host: a path or a query may hold what is nobody's business. The
endpoints of OAuth and the documents under `/.well-known` are named whole.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx2

from xinqiao.errors import (
    AnswerLost,
    AnswerTimedOut,
    CertificateUntrusted,
    ConnectionRefused,
    HostUnknown,
    ServerUnavailable,
    TimedOut,
)

_NOT_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
)
#: What the requests for metadata, keys and tokens leave open, with whatever call they are made.
HARMLESS: Final = "It spends nothing: it is safe to repeat."
#: OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_WRONG_NAME: Final = frozenset({62, 64})
#: X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_WRONG_TIME: Final = frozenset({9, 10})


def unavailable(
    error: httpx2.RequestError, request: httpx2.Request, *, lost: str | None
) -> ServerUnavailable:
    """The error for a request that got no answer.

    `lost`: what is open where a call was sent and its answer is lost; None of a request that only
    prepares a call.
    """
    kind, sentence = _cause(error, request.url)
    sent = not isinstance(error, _NOT_SENT)
    if sent and lost is not None:
        kind = AnswerTimedOut if kind is TimedOut else AnswerLost
        sentence = f"{sentence} {lost}"
    elif sent:
        sentence = f"{sentence} That was {named(request)}. {HARMLESS}"
    found = kind(sentence)
    found.may_have_arrived = sent
    return found


def named(request: httpx2.Request) -> str:
    """A request for metadata, keys or a token, by its method and address without a query."""
    return f"{request.method} {request.url.copy_with(query=None, fragment=None)}"


def _cause(error: httpx2.RequestError, url: httpx2.URL) -> tuple[type[ServerUnavailable], str]:
    host = url.netloc.decode("ascii", "replace")
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut, _timeout(error, host)
    if isinstance(error, httpx2.ProxyError):
        return ServerUnavailable, f"The proxy did not connect to {host}: see HTTPS_PROXY, NO_PROXY."
    found = next(filter(None, (_system_cause(each, host) for each in _chain(error))), None)
    if found is not None:
        return found
    name = type(error).__name__
    if isinstance(error, _NOT_SENT):
        return ServerUnavailable, f"The gateway at {host} could not be reached, or is down: {name}."
    return ServerUnavailable, f"The connection to {host} broke before it had answered: {name}."


def _system_cause(error: BaseException, host: str) -> tuple[type[ServerUnavailable], str] | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateUntrusted, _certificate(error, host)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "SSLError"
        return ServerUnavailable, f"The TLS handshake with {host} failed: {reason}."
    if isinstance(error, socket.gaierror):
        return (
            HostUnknown,
            f"The host {host} was not found: check `issuer` and DNS, or DNS is down.",
        )
    if isinstance(error, ConnectionRefusedError):
        return (
            ConnectionRefused,
            f"Nothing listens at {host}: check `issuer` and its port, or it is down.",
        )
    return None


def _timeout(error: httpx2.TimeoutException, host: str) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return (
            f"No connection to {host} in time: it is down, or a firewall drops what is sent there."
        )
    if isinstance(error, httpx2.PoolTimeout):
        return "All connections of this client were in use for too long."
    return f"{host} did not answer in time; `timeout` gives it longer."


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> str:
    code = getattr(error, "verify_code", None)
    if code in _WRONG_NAME:
        return f"The TLS certificate at {host} is for another host: check `issuer`."
    if code in _WRONG_TIME:
        return f"The TLS certificate at {host} is not valid now: it has lapsed, or this clock is wrong."
    said = getattr(error, "verify_message", "") or "unknown authority"
    return (
        f"The TLS certificate at {host} is not trusted ({said}): give its authority's certificate "
        "with `ca`, or in SSL_CERT_FILE."
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes; asyncio groups the attempts on several addresses."""
    seen = 0
    while error is not None and seen < 16:  # noqa: PLR2004 - a chain may close upon itself
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _chain(each)
        error, seen = error.__cause__ or error.__context__, seen + 1
