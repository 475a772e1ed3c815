"""What is registered has been checked: public keys only, exact redirect addresses, known scopes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

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
KINDS: Final = ("bank", "platform", "agency", "source")
CLIENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_URI: Final = 2_000
MOST_KEYS: Final = 8
SHORTEST_RSA_MODULUS: Final = 342  # base64url characters of 2048 bits
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
KEY_TYPES: Final = frozenset({("EC", "P-256"), ("RSA", None), ("OKP", "Ed25519")})


class RegistrationError(ValueError):
    """The client cannot be registered; the message says what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A new client. `loopback` allows http redirect addresses on this machine (the demo)."""

    client_id: str
    kind: str
    name_zh: str
    name_en: str
    jwks: Mapping[str, Any]
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    filing_number: str | None = None
    loopback: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be used safely."""
        _demand(CLIENT_ID.fullmatch(self.client_id), "A client id has 1 to 64 of A-Z a-z 0-9 _ -.")
        _demand(self.kind in KINDS, f"The kind is one of: {', '.join(KINDS)}.")
        _demand(
            self.name_zh.strip() and self.name_en.strip(),
            "A client has a Chinese and an English name.",
        )
        _demand(
            set(self.scopes) <= set(SCOPES) and self.scopes, f"Scopes are of: {', '.join(SCOPES)}."
        )
        _demand(
            self.filing_number or self.kind != "agency",
            "A credit-service agency needs its filing number (R13).",
        )
        for uri in self.redirect_uris:
            _demand(
                allowed_redirect(uri, loopback=self.loopback),
                f"{uri} cannot be a redirect address.",
            )
        check_keys(self.jwks)

    def columns(self) -> dict[str, Any]:
        """The columns of `client` that a registration fills."""
        return {
            "client_id": self.client_id,
            "kind": self.kind,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
            "jwks": dict(self.jwks),
            "redirect_uris": list(self.redirect_uris),
            "scopes": list(self.scopes),
            "filing_number": self.filing_number,
        }


def allowed_redirect(uri: str, *, loopback: bool) -> bool:
    """Whether `uri` is an https address without fragment; on loopback http too, where allowed."""
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
    """Refuse a JWK set that is not of public keys which can sign as we accept it."""
    keys = jwks.get("keys")
    _demand(
        isinstance(keys, list) and 0 < len(keys) <= MOST_KEYS,
        f"A JWK set has 1 to {MOST_KEYS} keys.",
    )
    for jwk in keys or ():
        _demand(isinstance(jwk, dict), "A key is a JWK.")
        _demand(
            not PRIVATE_MEMBERS & jwk.keys(),
            "Give public keys only; a private one stays with its owner.",
        )
        _demand(
            (jwk.get("kty"), jwk.get("crv")) in KEY_TYPES,
            "Keys are EC P-256 (ES256), RSA (PS256) or OKP Ed25519 (EdDSA).",
        )
        _demand(
            jwk["kty"] != "RSA" or len(str(jwk.get("n"))) >= SHORTEST_RSA_MODULUS,
            "RSA has 2048 bits or more.",
        )


def _demand(holds: object, otherwise: str) -> None:
    if not holds:
        raise RegistrationError(otherwise)
