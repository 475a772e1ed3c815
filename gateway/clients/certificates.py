"""A client's certificate as a proxy has passed it on: what it says, and whose it can be. Pure.

That its owner holds the key was proven in the TLS handshake. For `tls_client_auth` the proxy has
also verified its chain; a certificate that issued itself has none, and is never taken for such.
"""

import hashlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.clients.authentication import SELF_SIGNED, TLS_CLIENT_AUTH, Authentication

LARGEST: Final = 8_192  # bytes of DER; the largest that are in use have about 4,000
MOST_IN_A_CHAIN: Final = 8


class CertificateError(ValueError):
    """This is no certificate that can be read; the message says so to its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An X.509 certificate; `der` are its exact bytes."""

    der: bytes
    parsed: x509.Certificate

    @property
    def thumbprint(self) -> str:
        """`x5t#S256` (RFC 8705 §3.1): the SHA-256 of its DER."""
        return urlsafe_b64encode(hashlib.sha256(self.der).digest()).decode().rstrip("=")

    @property
    def x5c(self) -> str:
        """Itself as `x5c` has it (RFC 7517 §4.7)."""
        return b64encode(self.der).decode()

    def holds(self, now: datetime) -> bool:
        """Whether `now` is in its term."""
        return self.parsed.not_valid_before_utc <= now <= self.parsed.not_valid_after_utc

    def is_of(self, registered: Authentication, keys: Iterable[Mapping[str, Any]]) -> bool:
        """Whether it is the certificate of a client that is registered so (RFC 8705 §2)."""
        if registered.token_endpoint_auth_method == SELF_SIGNED:
            return self.x5c in [jwk["x5c"][0] for jwk in keys if jwk.get("x5c")]
        if registered.token_endpoint_auth_method == TLS_CLIENT_AUTH:
            return self.parsed.issuer != self.parsed.subject and self._has_subject(registered)
        return False

    def _has_subject(self, registered: Authentication) -> bool:
        name, wanted = registered.subject
        if name == "tls_client_auth_subject_dn":
            return self.parsed.subject == x509.Name.from_rfc4514_string(wanted)
        kind, plain = _ALTERNATIVES[name]
        return plain(wanted) in {plain(each) for each in self._alternatives(kind)}

    def _alternatives(self, kind: type[Any]) -> list[str]:
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


def certificate_in(der: bytes) -> Certificate:
    """The certificate in `der`; raises `CertificateError`."""
    try:
        if len(der) > LARGEST:
            raise CertificateError(f"The certificate has more than {LARGEST} bytes.")
        parsed = x509.load_der_x509_certificate(der)
        if parsed.public_bytes(Encoding.DER) != der:
            raise CertificateError("The certificate is not DER.")
        # Read now what is judged later, so that nothing malformed gets further.
        _ = parsed.subject, parsed.issuer, parsed.not_valid_before_utc, parsed.not_valid_after_utc
    except CertificateError:
        raise
    except (ValueError, TypeError, x509.InvalidVersion):
        raise CertificateError("The certificate cannot be read.") from None
    return Certificate(der=der, parsed=parsed)


def certifies(jwk: Mapping[str, Any]) -> bool:
    """Whether a key's `x5c`, if it has one, is of certificates, the first of this very key."""
    chain = jwk.get("x5c")
    if chain is None:
        return True
    if not isinstance(chain, list) or not 0 < len(chain) <= MOST_IN_A_CHAIN:
        return False
    try:
        found = [certificate_in(b64decode(text, validate=True)) for text in chain]
    except (ValueError, TypeError):
        return False
    return [each.x5c for each in found] == chain and _is_key_of(found[0], jwk)


def _is_key_of(certificate: Certificate, jwk: Mapping[str, Any]) -> bool:
    try:
        key = certificate.parsed.public_key()
    except (ValueError, TypeError):
        return False
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return (jwk["kty"], jwk.get("n"), jwk.get("e")) == (
                "RSA",
                _number(numbers.n, (numbers.n.bit_length() + 7) // 8),
                _number(numbers.e, (numbers.e.bit_length() + 7) // 8),
            )
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            point = key.public_numbers()
            own = ("P-256", _number(point.x, 32), _number(point.y, 32))
            return (jwk.get("crv"), jwk.get("x"), jwk.get("y")) == own
        case ed25519.Ed25519PublicKey():
            raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            return (jwk.get("crv"), jwk.get("x")) == ("Ed25519", _base64url(raw))
    return False


def _number(value: int, size: int) -> str:
    return _base64url(value.to_bytes(size, "big"))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _email(text: str) -> str:
    """A host is the same in any case, a mailbox is not."""
    mailbox, _, host = text.rpartition("@")
    return f"{mailbox}@{host.lower()}"


_ALTERNATIVES: Final[Mapping[str, tuple[type[x509.GeneralName], Any]]] = {
    "tls_client_auth_san_dns": (x509.DNSName, str.lower),
    "tls_client_auth_san_uri": (x509.UniformResourceIdentifier, str),
    "tls_client_auth_san_ip": (x509.IPAddress, ip_address),
    "tls_client_auth_san_email": (x509.RFC822Name, _email),
}
