"""A certificate in `Client-Cert` (RFC 9440) is believed from a configured proxy and nobody else.

Who speaks is the TCP connection's other end. From anybody else the header is as if it were not
there, and a line in the log says that somebody tried. `Client-Cert-Chain` is never read: the proxy
has verified the chain.
"""

import re
from base64 import b64decode
from typing import Final

import structlog
from fastapi import Request

from gateway.clients.certificates import LARGEST, Certificate, CertificateError, read_certificate
from gateway.runtime import Runtime
from gateway.trusted_proxies import is_among

log = structlog.get_logger("gateway.access")

FIELD: Final = "client-cert"
LONGEST: Final = (LARGEST + 2) // 3 * 4 + 2
# RFC 8941 §3.3.5: base64 between colons. RFC 9440 defines no parameters.
BYTES: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")


def certificate_of(request: Request, runtime: Runtime) -> Certificate | None:
    """The certificate with which the client came to a trusted proxy, if it had one.

    Raises `CertificateError` where the proxy says what cannot be one certificate.
    """
    fields = request.headers.getlist(FIELD)
    if not fields:
        return None
    peer = request.client.host if request.client else None
    if not is_among(peer, runtime.settings.trusted_proxies):
        log.warning("client_cert_ignored", reason="it did not come from a trusted proxy")
        return None
    if len(fields) > 1:
        raise CertificateError("The proxy has passed on more than one Client-Cert.")
    return read(fields[0])


def read(field: str) -> Certificate:
    """The certificate in one `Client-Cert`; raises `CertificateError`."""
    value = field.strip(" ")
    found = BYTES.fullmatch(value) if len(value) <= LONGEST else None
    if found is None:
        raise CertificateError("Client-Cert is not one certificate as RFC 9440 writes it.")
    try:
        certificate = read_certificate(b64decode(found[1], validate=True))
    except CertificateError:
        raise
    except ValueError:
        raise CertificateError(
            "Client-Cert is not one certificate as RFC 9440 writes it."
        ) from None
    if certificate.x5c != found[1]:
        raise CertificateError("Client-Cert is not one certificate as RFC 9440 writes it.")
    return certificate
