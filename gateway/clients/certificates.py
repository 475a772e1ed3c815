"""X.509 client certificates: parse one and match it to a client's registration (RFC 8705 §2). Pure.

Possession of the key was proven in the TLS handshake with the proxy. For `tls_client_auth` the proxy
has also verified the chain; a self-issued certificate has none and never matches.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.clients.authentication_method import (
    SELF_SIGNED,
    SUBJECT_MEMBERS,
    TLS_CLIENT_AUTH,
    Authentication,
)
from gateway.signing.jwk import base64url, public_jwk

LARGEST_CERTIFICATE: Final = 8_192  # bytes of DER; the largest that are in use have about 4,000
MOST_IN_A_CHAIN: Final = 8


class CertificateError(ValueError):
    """A certificate that cannot be read; the message is for its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An X.509 certificate, parsed; `der` are its exact bytes."""

    der: bytes
    parsed: x509.Certificate

    @property
    def thumbprint(self) -> str:
        """`x5t#S256` (RFC 8705 §3.1): the SHA-256 of its DER."""
        return base64url(hashlib.sha256(self.der).digest())

    @property
    def x5c(self) -> str:
        """Its value in a JWK's `x5c` (RFC 7517 §4.7): base64 of its DER."""
        return b64encode(self.der).decode()

    def is_valid_at(self, now: datetime) -> bool:
        """True if `now` is in its term."""
        return self.parsed.not_valid_before_utc <= now <= self.parsed.not_valid_after_utc

    def belongs_to(self, registered: Authentication, keys: Iterable[Mapping[str, Any]]) -> bool:
        """True if it matches a client's registration and keys (RFC 8705 §2)."""
        if registered.token_endpoint_auth_method == SELF_SIGNED:
            return self.x5c in [jwk["x5c"][0] for jwk in keys if jwk.get("x5c")]
        if registered.token_endpoint_auth_method == TLS_CLIENT_AUTH:
            return self.parsed.issuer != self.parsed.subject and self._has_subject(registered)
        return False

    def _has_subject(self, registered: Authentication) -> bool:
        name, wanted = registered.subject
        member = SUBJECT_MEMBERS[name]
        if member.san is None:
            return bool(self.parsed.subject == member.normal(wanted))
        return member.normal(wanted) in {member.normal(each) for each in self._sans(member.san)}

    def _sans(self, kind: type[Any]) -> list[str]:
        """The subject alternative names of one kind."""
        try:
            found = self.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            return [str(value) for value in found.value.get_values_for_type(kind)]
        except (
            x509.ExtensionNotFound,
            x509.DuplicateExtension,
            x509.UnsupportedGeneralNameType,
            ValueError,
            TypeError,
        ):
            return []


def read_certificate(der: bytes) -> Certificate:
    """Parse a certificate; raises `CertificateError`."""
    try:
        if len(der) > LARGEST_CERTIFICATE:
            raise CertificateError(f"The certificate has more than {LARGEST_CERTIFICATE} bytes.")
        parsed = x509.load_der_x509_certificate(der)
        if parsed.public_bytes(Encoding.DER) != der:
            raise CertificateError("The certificate is not DER.")
        # Parse now what is compared later, so that a malformed part is refused here.
        _ = parsed.subject, parsed.issuer, parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except CertificateError:
        raise
    except (ValueError, TypeError, x509.InvalidVersion):
        raise CertificateError("The certificate cannot be read.") from None
    return Certificate(der=der, parsed=parsed)


def x5c_fits(jwk: Mapping[str, Any]) -> bool:
    """True if a key's `x5c` is absent, or a chain of certificates of which the first is this key's."""
    chain = jwk.get("x5c")
    if chain is None:
        return True
    if not isinstance(chain, list) or not 0 < len(chain) <= MOST_IN_A_CHAIN:
        return False
    try:
        found = [read_certificate(b64decode(text, validate=True)) for text in chain]
    except (ValueError, TypeError):
        return False
    return [each.x5c for each in found] == chain and _is_key_of(found[0], jwk)


def _is_key_of(certificate: Certificate, jwk: Mapping[str, Any]) -> bool:
    try:
        return public_jwk(certificate.parsed.public_key()).items() <= jwk.items()
    except (ValueError, TypeError):
        return False
