"""Requests without credentials: a gateway's published keys, and the state of a report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2

from xinqiao._core.api.report_status import ReportStatus, read_status, status_address
from xinqiao._core.connection import http_options
from xinqiao._core.evidence.credit_report import CreditReport
from xinqiao._core.session import check_issuer
from xinqiao._core.signatures.keys import KeySet
from xinqiao._core.transport.connection_errors import unavailable
from xinqiao._core.transport.send import new_request
from xinqiao._core.wire.strict import parse_json
from xinqiao.errors import ConfigurationError, ProtocolError, ServerUnavailable

TIMEOUT: Final = 10.0
_OK: Final = 200


def fetch_keys(
    issuer: str,
    *,
    ca: str | Path | None = None,
    proxy: str | None = None,
    transport: httpx2.BaseTransport | None = None,
    timeout: float = TIMEOUT,
) -> KeySet:
    """Fetch the keys that an issuer publishes, retired ones included; what is trusted is its TLS certificate.

    The options are those of `Client`. What answers at that address, kept in a file, serves as `keys` too.
    """
    url = f"{check_issuer(issuer)}/.well-known/jwks.json"
    response = _get(url, ca=ca, proxy=proxy, transport=transport, timeout=timeout)
    if response.status_code != _OK:
        raise ServerUnavailable(
            f"The gateway's keys were answered with {response.status_code}.",
            status=response.status_code,
        )
    try:
        document = parse_json(response.content)
        return KeySet.of(document["keys"])
    except (ValueError, KeyError, TypeError, ConfigurationError):
        raise ProtocolError("What answers at the issuer's address has no key set.") from None


def report_status(
    report: CreditReport,
    *,
    ca: str | Path | None = None,
    proxy: str | None = None,
    transport: httpx2.BaseTransport | None = None,
    timeout: float = TIMEOUT,
) -> ReportStatus:
    """Ask a verified report's own gateway, which its signature names, whether it still holds.

    The options are those of `Client`. Raises `NotFound` where the gateway knows no such report.
    """
    url = status_address(report)
    response = _get(url, ca=ca, proxy=proxy, transport=transport, timeout=timeout)
    return read_status(response, report, now=time.time())


def _get(
    url: str,
    *,
    ca: str | Path | None,
    proxy: str | None,
    transport: httpx2.BaseTransport | None,
    timeout: float,
) -> httpx2.Response:
    host = urlsplit(url).hostname or ""
    request = new_request("GET", url)
    with httpx2.Client(**http_options(host, ca, proxy, transport, timeout=timeout)) as http:
        try:
            return http.send(request)
        except httpx2.RequestError as error:
            raise unavailable(error, request, lost=None) from error
