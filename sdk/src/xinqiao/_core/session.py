"""State of one client: settings, cached tokens, nonces, keys, metadata and promises."""

from __future__ import annotations

import ipaddress
import random
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from xinqiao.errors import ConfigurationError

from .signatures.jose import SigningKey, generate_dpop_key
from .version import VERSION

if TYPE_CHECKING:
    from .evidence.receipts import PromisedLeaf
    from .signatures.keys import KeySet
    from .transport.retry import RandomBetween, RetryPolicy

#: A token is renewed this many seconds before it ends.
RENEW_BEFORE: Final = 30
USER_AGENT: Final = f"xinqiao-python/{VERSION}"

Server = Literal["authorization", "resource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Clocks and randomness, replaceable in tests."""

    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic
    chance: RandomBetween = random.uniform
    new_id: Callable[[], str] = lambda: secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The authorization server's addresses (RFC 8414), all on the issuer's origin."""

    pushed_authorization_request_endpoint: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A cached access token."""

    value: str = field(repr=False)
    ends_at: float

    def fresh(self, now: float) -> bool:
        """True if the token lasts long enough for another call."""
        return now < self.ends_at - RENEW_BEFORE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Checked settings of a client."""

    issuer: str
    client_id: str
    client_key: SigningKey = field(repr=False)
    dpop_key: SigningKey = field(
        repr=False, default_factory=lambda: SigningKey.of(generate_dpop_key())
    )
    scope: str | None = None
    redirect_uri: str | None = None
    pinned: KeySet | None = field(repr=False, default=None)
    retry: RetryPolicy = field(repr=False)
    max_clock_skew: float = 300.0
    timeout: float = 10.0
    sign_requests: bool = False


@dataclass(slots=True, kw_only=True)
class Session:
    """Settings and caches of a client. Assignments are atomic; ordered changes run `Exclusive`."""

    settings: Settings
    world: Environment = field(default_factory=Environment, repr=False)
    metadata: Metadata | None = None
    tokens: dict[str, Token] = field(default_factory=dict, repr=False)
    nonces: dict[Server, str] = field(default_factory=dict, repr=False)
    keys: KeySet | None = field(default=None, repr=False)
    promises: dict[str, PromisedLeaf] = field(default_factory=dict, repr=False)
    keys_fetched_at: float = float("-inf")
    keys_missed_at: float = float("-inf")

    def now(self) -> float:
        """Read the wall clock, seconds since 1970."""
        return self.world.now()

    def note_nonce(self, server: Server, headers: Mapping[str, str]) -> None:
        """Store the newest DPoP nonce of a server."""
        if "dpop-nonce" in headers:
            self.nonces[server] = headers["dpop-nonce"]


def check_issuer(issuer: str) -> str:
    """Return the issuer's origin without a trailing slash, or refuse it.

    It must be https; http is accepted for loopback hosts only.
    """
    text = (issuer or "").rstrip("/")
    parts = urlsplit(text)
    if not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(
            f"The issuer must be an origin like https://host, not {_without_secrets(text)!r}."
        )
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)):
        return text
    raise ConfigurationError(f"The issuer must be https (http only on loopback), not {text!r}.")


def _without_secrets(url: str) -> str:
    """The address without what may be secret in it: credentials, query and fragment."""
    scheme, mark, rest = re.split(r"[?#]", url, maxsplit=1)[0].rpartition("//")
    return scheme + mark + rest.rpartition("@")[2]


def is_loopback(host: str) -> bool:
    """True if a host name is a loopback address or localhost."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
