"""A client authenticates in the one way that it is registered with, and in no other (RFC 8705 §2).

The members have the names of RFC 7591 and RFC 8705. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, Self
from urllib.parse import urlsplit

from cryptography import x509

PRIVATE_KEY_JWT: Final = "private_key_jwt"
TLS_CLIENT_AUTH: Final = "tls_client_auth"
SELF_SIGNED: Final = "self_signed_tls_client_auth"
BY_CERTIFICATE: Final = (TLS_CLIENT_AUTH, SELF_SIGNED)
METHODS: Final = (PRIVATE_KEY_JWT, *BY_CERTIFICATE)

# RFC 8705 §2.1.2: exactly one of them for tls_client_auth, none of them otherwise.
SUBJECTS: Final = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
LONGEST: Final = 1_000
DNS: Final = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)
EMAIL: Final = re.compile(r"[^\s@]{1,64}@[A-Za-z0-9.-]{1,253}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """How a client authenticates, and whether its access tokens are bound to its certificate."""

    token_endpoint_auth_method: str = PRIVATE_KEY_JWT
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False

    @property
    def trouble(self) -> str | None:
        """Why no client can be registered so, if none can: one sentence that says what to mend."""
        if self.token_endpoint_auth_method not in METHODS:
            return f"The authentication method is one of: {', '.join(METHODS)}."
        given = [name for name in SUBJECTS if getattr(self, name) is not None]
        if len(given) != (self.token_endpoint_auth_method == TLS_CLIENT_AUTH):
            return (
                f"{TLS_CLIENT_AUTH}, and nothing else, needs exactly one of {', '.join(SUBJECTS)}."
            )
        for name in given:
            value = getattr(self, name)
            if not 0 < len(value) <= LONGEST or not value.isprintable() or not _READ[name](value):
                return f"{name} cannot be read, so no certificate could have it."
        return None

    @property
    def by_certificate(self) -> bool:
        """Whether it authenticates in the TLS handshake."""
        return self.token_endpoint_auth_method in BY_CERTIFICATE

    @property
    def subject(self) -> tuple[str, str]:
        """The one member that says whom a certificate must name, and its value."""
        return next((n, v) for n in SUBJECTS if (v := getattr(self, n)) is not None)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """Those of its members that stand in a row or a document with others."""
        return cls(**{name: found[name] for name in MEMBERS if name in found})


USUAL: Final = Authentication()
MEMBERS: Final = tuple(Authentication.__dataclass_fields__)


def _is_name(text: str) -> bool:
    # A value in the form `#hex` is DER, which the parser does not read as such.
    if "=#" in text:
        return False
    try:
        return len(x509.Name.from_rfc4514_string(text).rdns) > 0
    except (ValueError, TypeError):
        return False


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and text.isascii()


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and ip_address(text) is not None
    except ValueError:
        return False


_READ: Final[Mapping[str, Any]] = {
    "tls_client_auth_subject_dn": _is_name,
    "tls_client_auth_san_dns": DNS.fullmatch,
    "tls_client_auth_san_uri": _is_uri,
    "tls_client_auth_san_ip": _is_address,
    "tls_client_auth_san_email": EMAIL.fullmatch,
}
