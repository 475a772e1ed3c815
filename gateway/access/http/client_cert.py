"""Client certificate from `Client-Cert` (RFC 9440), accepted from trusted proxies only.

The sender is the TCP peer. From any other peer the header is ignored and logged.
`Client-Cert-Chain` is never read: the proxy has verified the chain.
"""

import re
from base64 import b64decode
from typing import Final

import structlog
from fastapi import Request

from gateway.clients.certificates import (
    LARGEST_CERTIFICATE,
    Certificate,
    CertificateError,
    read_certificate,
)
from gateway.runtime import Runtime
from gateway.trusted_proxies import is_in_networks

log = structlog.get_logger("gateway.access")

CLIENT_CERT_HEADER: Final = "client-cert"
MAX_HEADER_LENGTH: Final = (LARGEST_CERTIFICATE + 2) // 3 * 4 + 2
# RFC 8941 §3.3.5: base64 between colons. RFC 9440 defines no parameters.
SF_BYTE_SEQUENCE: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")


def certificate_of(request: Request, runtime: Runtime) -> Certificate | None:
    """The client's certificate as a trusted proxy passed it on, if any; raises `CertificateError`."""
    fields = request.headers.getlist(CLIENT_CERT_HEADER)
    if not fields:
        return None
    peer = request.client.host if request.client else None
    if not is_in_networks(peer, runtime.settings.trusted_proxies):
        log.warning("client_cert_ignored", reason="it did not come from a trusted proxy")
        return None
    if len(fields) > 1:
        raise CertificateError("The proxy has passed on more than one Client-Cert.")
    return parse_header(fields[0])


def parse_header(field: str) -> Certificate:
    """The certificate in a `Client-Cert` value; raises `CertificateError`."""
    value = field.strip(" ")
    found = SF_BYTE_SEQUENCE.fullmatch(value) if len(value) <= MAX_HEADER_LENGTH else None
    try:
        certificate = read_certificate(b64decode(found[1], validate=True)) if found else None
    except CertificateError:
        raise
    except ValueError:
        certificate = None
    if certificate is None or found is None or certificate.x5c != found[1]:
        raise CertificateError("Client-Cert is not one certificate as RFC 9440 writes it.")
    return certificate
