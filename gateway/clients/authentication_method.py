"""Authentication method that a client is registered for (RFC 7591, RFC 8705 §2). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, Self
from urllib.parse import urlsplit

from cryptography import x509

PRIVATE_KEY_JWT: Final = "private_key_jwt"
TLS_CLIENT_AUTH: Final = "tls_client_auth"
SELF_SIGNED: Final = "self_signed_tls_client_auth"
METHODS: Final = (PRIVATE_KEY_JWT, TLS_CLIENT_AUTH, SELF_SIGNED)

LONGEST_SUBJECT: Final = 1_000
DNS: Final = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)
EMAIL: Final = re.compile(r"[^\s@]{1,64}@[A-Za-z0-9.-]{1,253}")


def _is_dn(text: str) -> bool:
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


def _email(text: str) -> str:
    """An address with its host in lower case; the mailbox keeps its case."""
    mailbox, _, host = text.rpartition("@")
    return f"{mailbox}@{host.lower()}"


@dataclass(frozen=True, slots=True)
class SubjectMember:
    """Check and comparison of the value of a `tls_client_auth_*` member.

    `san` is the kind of subject alternative name, `None` for the subject's distinguished name.
    """

    is_readable: Callable[[str], object]
    san: type[x509.GeneralName] | None
    normal: Callable[[str], object]


# RFC 8705 §2.1.2: exactly one of them for tls_client_auth, none of them otherwise.
SUBJECT_MEMBERS: Final[Mapping[str, SubjectMember]] = {
    "tls_client_auth_subject_dn": SubjectMember(_is_dn, None, x509.Name.from_rfc4514_string),
    "tls_client_auth_san_dns": SubjectMember(DNS.fullmatch, x509.DNSName, str.lower),
    "tls_client_auth_san_uri": SubjectMember(_is_uri, x509.UniformResourceIdentifier, str),
    "tls_client_auth_san_ip": SubjectMember(_is_address, x509.IPAddress, ip_address),
    "tls_client_auth_san_email": SubjectMember(EMAIL.fullmatch, x509.RFC822Name, _email),
}
SUBJECTS: Final = tuple(SUBJECT_MEMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authentication:
    """A client's authentication method, and whether its tokens are bound to its certificate."""

    token_endpoint_auth_method: str = PRIVATE_KEY_JWT
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False

    @property
    def problem(self) -> str | None:
        """A sentence on why no client can be registered so, if none can."""
        if self.token_endpoint_auth_method not in METHODS:
            return f"The authentication method is one of: {', '.join(METHODS)}."
        given = [name for name in SUBJECTS if getattr(self, name) is not None]
        if len(given) != (self.token_endpoint_auth_method == TLS_CLIENT_AUTH):
            return (
                f"{TLS_CLIENT_AUTH}, and nothing else, needs exactly one of {', '.join(SUBJECTS)}."
            )
        for name in given:
            value = getattr(self, name)
            if (
                not 0 < len(value) <= LONGEST_SUBJECT
                or not value.isprintable()
                or not SUBJECT_MEMBERS[name].is_readable(value)
            ):
                return f"{name} cannot be read, so no certificate could have it."
        return None

    @property
    def subject(self) -> tuple[str, str]:
        """The `tls_client_auth_*` member that is set, and its value."""
        return next((n, v) for n in SUBJECTS if (v := getattr(self, n)) is not None)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """The authentication in a row or a document with other members."""
        return cls(**{name: found[name] for name in MEMBERS if name in found})


DEFAULT_AUTHENTICATION: Final = Authentication()
MEMBERS: Final = tuple(Authentication.__dataclass_fields__)
