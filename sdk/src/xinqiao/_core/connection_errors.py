"""Causes of a failed connection, as errors that say what to do. Pure.

No sentence quotes an address beyond its host: a path or a query may hold what is nobody's business.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx2

from xinqiao.errors import (
    CertificateUntrusted,
    ConnectionRefused,
    HostUnknown,
    ServerUnavailable,
    TimedOut,
)

_NOT_SENT: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
#: OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
_WRONG_NAME: Final = frozenset({62, 64})
#: X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_WRONG_TIME: Final = frozenset({9, 10})


def unavailable(error: httpx2.RequestError, request: httpx2.Request) -> ServerUnavailable:
    """The error for a request that got no answer."""
    kind, sentence = _cause(error, request.url)
    found = kind(sentence)
    found.may_have_arrived = not isinstance(error, _NOT_SENT)
    return found


def _cause(error: httpx2.RequestError, url: httpx2.URL) -> tuple[type[ServerUnavailable], str]:
    host = url.netloc.decode("ascii", "replace")
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut, _timeout(error, host)
    if isinstance(error, httpx2.ProxyError):
        return ServerUnavailable, f"The proxy did not connect to {host}: see HTTPS_PROXY, NO_PROXY."
    found = next(filter(None, (_system_cause(each, host) for each in _chain(error))), None)
    sentence = f"The gateway at {host} could not be reached: {type(error).__name__}."
    return found or (ServerUnavailable, sentence)


def _system_cause(error: BaseException, host: str) -> tuple[type[ServerUnavailable], str] | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateUntrusted, _certificate(error, host)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "SSLError"
        return ServerUnavailable, f"The TLS handshake with {host} failed: {reason}."
    if isinstance(error, socket.gaierror):
        return HostUnknown, f"The host {host} was not found: check `issuer` and DNS."
    if isinstance(error, ConnectionRefusedError):
        return ConnectionRefused, f"Nothing listens at {host}: check `issuer` and its port."
    return None


def _timeout(error: httpx2.TimeoutException, host: str) -> str:
    if isinstance(error, httpx2.ConnectTimeout):
        return f"No connection to {host} in time: a firewall or a wrong port drops it silently."
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
