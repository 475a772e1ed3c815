"""Registration of a client, with the checks of names, scopes, keys and redirect addresses."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.clients.authentication_method import (
    DEFAULT_AUTHENTICATION,
    SELF_SIGNED,
    TLS_CLIENT_AUTH,
    Authentication,
)
from gateway.clients.confusable_names import has_other_letters
from gateway.clients.filing import NUMBER, Filing
from gateway.clients.public_keys import problem_with_keys
from gateway.safe_fetch import address_problem
from gateway.settings import LOOPBACK_HOSTS

SCOPES: Final = (
    "verify",
    "query",
    "consents",
    "changes",
    "certificates",
    "screen",
    "records:write",
    "codes",
    "admin",
    "audit",
)
KINDS: Final = ("bank", "platform", "agency", "source", "operator")
# A client that changes agreements reads nothing under one, and no other client has these scopes.
OPERATORS_SCOPES: Final = frozenset({"admin", "audit"})
NO_KEYS: Final[Mapping[str, Any]] = {"keys": []}
CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_URI: Final = 2_000
LONGEST_CONTACT: Final = 200


class RegistrationError(ValueError):
    """A registration that is refused; the message says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A new client, checked. `loopback` allows http redirect addresses on this machine (the demo)."""

    client_id: str
    kind: str
    name_zh: str
    name_en: str
    scopes: tuple[str, ...]
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    redirect_uris: tuple[str, ...] = ()
    filing: Filing | None = None
    personal_credit_licence: str | None = None
    contact: str | None = None
    authentication: Authentication = DEFAULT_AUTHENTICATION
    loopback: bool = False

    def __post_init__(self) -> None:
        """Run every check; raises `RegistrationError`."""
        _require(CLIENT_ID.fullmatch(self.client_id), "A client id has 1 to 64 of A-Z a-z 0-9 _ -.")
        _require(self.kind in KINDS, f"The kind is one of: {', '.join(KINDS)}.")
        check_names(self.name_zh, self.name_en)
        check_scopes(self.kind, self.scopes)
        check_filing(self.kind, self.filing)
        check_licence_number(self.personal_credit_licence)
        check_contact(self.contact)
        check_redirects(self.redirect_uris, loopback=self.loopback)
        check_authentication(self.authentication)
        check_key_source(
            self.jwks,
            self.jwks_uri,
            method=self.authentication.token_endpoint_auth_method,
            loopback=self.loopback,
        )

    def columns(self) -> dict[str, Any]:
        """The columns of `client` that a registration fills."""
        return {
            "client_id": self.client_id,
            "kind": self.kind,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
            "jwks": dict(self.jwks or NO_KEYS),
            "jwks_uri": self.jwks_uri,
            "redirect_uris": list(self.redirect_uris),
            "scopes": list(self.scopes),
            **(self.filing.columns() if self.filing else {}),
            "personal_credit_licence": self.personal_credit_licence,
            "contact": self.contact,
            **asdict(self.authentication),
        }


def check_names(name_zh: str, name_en: str) -> None:
    """Refuse names that are not readable on a consent page."""
    _require(
        name_zh.strip() and name_en.strip() and (name_zh + name_en).isprintable(),
        "A client has a Chinese and an English name.",
    )
    for name in (name_zh, name_en):
        _require(
            any(each.isalnum() for each in name) and not has_other_letters(name),
            "A name is of Chinese characters, Latin letters and the digits 0 to 9.",
        )


def check_contact(contact: str | None) -> None:
    """Refuse a contact that is not readable on a consent page."""
    _require(
        contact is None
        or (contact.strip() and contact.isprintable() and len(contact) <= LONGEST_CONTACT),
        f"A contact has 1 to {LONGEST_CONTACT} printable signs, in one line.",
    )


def check_redirects(redirect_uris: tuple[str, ...], *, loopback: bool) -> None:
    """Refuse addresses that no code may be sent to."""
    for uri in redirect_uris:
        _require(allowed_redirect(uri, loopback=loopback), f"{uri} cannot be a redirect address.")


def check_scopes(kind: str, scopes: tuple[str, ...]) -> None:
    """Refuse unknown scopes, and the operators' scopes beside others."""
    _require(scopes and set(scopes) <= set(SCOPES), f"Scopes are of: {', '.join(SCOPES)}.")
    _require(
        set(scopes) <= OPERATORS_SCOPES
        if kind == "operator"
        else OPERATORS_SCOPES.isdisjoint(scopes),
        "The scopes admin and audit are for clients of the kind operator, which have no others.",
    )


def check_filing(kind: str, filing: Filing | None) -> None:
    """Refuse an agency without its filing (R13), and a filing that is not well formed."""
    _require(filing or kind != "agency", "A credit-service agency needs its filing (R13).")
    problem = filing.problem if filing else None
    _require(problem is None, str(problem))


def check_licence_number(number: str | None) -> None:
    """Refuse a malformed number of a personal-credit licence."""
    _require(
        number is None or NUMBER.fullmatch(number), "A licence number has 1 to 64 signs, no spaces."
    )


def check_authentication(wanted: Authentication) -> None:
    """Refuse an unknown method, and an unreadable certificate subject."""
    _require(wanted.problem is None, str(wanted.problem))


def check_key_source(
    jwks: Mapping[str, Any] | None, jwks_uri: str | None, *, method: str, loopback: bool
) -> None:
    """Refuse keys given both by value and by address, or neither.

    A client with a CA certificate (`tls_client_auth`) has no keys, one with a self-signed certificate
    has it in x5c.
    """
    if method == TLS_CLIENT_AUTH:
        _require(jwks is None and jwks_uri is None, f"{TLS_CLIENT_AUTH} goes without keys.")
        return
    _require(
        (jwks is None) != (jwks_uri is None),
        "Give the client's public keys either by value (jwks) or by address (jwks_uri).",
    )
    if jwks is not None:
        check_keys(jwks)
        _require(
            method != SELF_SIGNED or all("x5c" in jwk for jwk in jwks["keys"]),
            f"{SELF_SIGNED} needs the certificate of each key, as its x5c.",
        )
    if jwks_uri is not None:
        trouble = address_problem(jwks_uri, loopback=loopback)
        _require(trouble is None, f"jwks_uri cannot be used: {trouble}")


def allowed_redirect(uri: str, *, loopback: bool) -> bool:
    """True if `uri` is an https address without fragment, or on loopback http if allowed."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    http = loopback and parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}#')
    whole = parts.hostname and not parts.username and not parts.password and port != 0
    return bool((parts.scheme == "https" or http) and plain and whole and len(uri) <= LONGEST_URI)


def check_keys(jwks: Mapping[str, Any]) -> None:
    """Refuse a JWK set with a key that is not accepted for signatures."""
    problem = problem_with_keys(jwks)
    _require(problem is None, str(problem))


def _require(condition: object, message: str) -> None:
    if not condition:
        raise RegistrationError(message)
