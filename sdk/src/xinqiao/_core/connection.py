"""Client constructors: from arguments, from the demo's kit.json, from environment variables."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, NoReturn, Self, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

import httpx2

from xinqiao.errors import ConfigurationError

from .client_settings import ClientSettings
from .session import Environment, Session, Settings, check_issuer, is_loopback
from .signatures.jose import SigningKey, generate_dpop_key
from .signatures.keys import Jwks, KeySet, read_json
from .signatures.request_signatures import check_can_sign
from .transport.retry import RetryPolicy

TransportT = TypeVar("TransportT", httpx2.BaseTransport, httpx2.AsyncBaseTransport)


class ClientOptions(TypedDict, Generic[TransportT], total=False):
    """Options of a client, as its constructor explains them."""

    issuer: str
    client_id: str
    private_jwks: Jwks
    scope: str | None
    redirect_uri: str | None
    dpop_key: Jwks | None
    keys: Jwks | KeySet | None
    ca: str | Path | None
    proxy: str | None
    transport: TransportT | None
    timeout: float
    retry: RetryPolicy | None
    max_clock_skew: float
    sign_requests: bool
    clock: Callable[[], float]


class Connection(Generic[TransportT]):
    """Base of both clients: settings, session and constructors."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        private_jwks: Jwks,
        scope: str | None = None,
        redirect_uri: str | None = None,
        dpop_key: Jwks | None = None,
        keys: Jwks | KeySet | None = None,
        ca: str | Path | None = None,
        proxy: str | None = None,
        transport: TransportT | None = None,
        timeout: float = 10.0,
        retry: RetryPolicy | None = None,
        max_clock_skew: float = 300.0,
        sign_requests: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open a client; nothing is sent before its first call.

        `issuer`: the gateway's origin. `private_jwks`: the client's private key, as a JWK, a JWK
        set, or the path of a file. `scope`: one scope for all calls; by default each call asks for
        its own. `redirect_uri`: where consent flows come back. `dpop_key`: a private JWK, by
        default made afresh; workers that share consent flows must share it. `keys`: pinned response
        keys, by default fetched from the issuer. `ca`: a file of PEM certificates to trust in
        place of the system's. `proxy`: an address, by default from HTTPS_PROXY and NO_PROXY.
        `timeout` (to connect, and between two parts of an answer) and `max_clock_skew` are in seconds.
        `sign_requests`: sign each request with the client's key (RFC 9421), as an agreement can require;
        the key is EC P-256 or Ed25519.
        """
        client_key = SigningKey.read(private_jwks)
        if sign_requests:
            check_can_sign(client_key)
        self._session = Session(
            settings=Settings(
                issuer=check_issuer(issuer),
                client_id=_name(client_id),
                client_key=client_key,
                dpop_key=SigningKey.read(dpop_key or generate_dpop_key()),
                scope=scope,
                redirect_uri=redirect_uri,
                pinned=None if keys is None else KeySet.read(keys),
                retry=retry or RetryPolicy(),
                max_clock_skew=max_clock_skew,
                timeout=_seconds(timeout),
                sign_requests=sign_requests,
            ),
            world=Environment(now=clock),
        )
        self._open(http_options(self._host, ca, proxy, transport, timeout=timeout))

    @classmethod
    def from_kit(
        cls,
        path: Mapping[str, Any] | str | Path,
        who: str,
        **options: Unpack[ClientOptions[TransportT]],
    ) -> Self:
        """Open a client with the demo's kit, playing `who` (bank, platform, agency, source).

        `options` are the constructor's, and take the place of what the kit says.
        """
        return cls(**{**read_kit(path, who), **options})

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions[TransportT]]) -> Self:
        """Open a client with the variables that `ClientSettings.from_env` reads.

        `options` are the constructor's, and take the place of the variables.
        """
        return cls.from_settings(ClientSettings.from_env(), **options)

    @classmethod
    def from_settings(
        cls, settings: ClientSettings, **options: Unpack[ClientOptions[TransportT]]
    ) -> Self:
        """Open a client with these settings; `options` take the place of what they say."""
        return cls(**{**settings.options(), **options})

    @property
    def issuer(self) -> str:
        """The gateway's origin."""
        return self._session.settings.issuer

    @property
    def client_id(self) -> str:
        """This client's name at the gateway."""
        return self._session.settings.client_id

    @property
    def _host(self) -> str:
        return urlsplit(self.issuer).hostname or ""

    def __repr__(self) -> str:
        """Name the client; keys and tokens never print."""
        return f"{type(self).__name__}(issuer={self.issuer!r}, client_id={self.client_id!r})"

    def __reduce__(self) -> NoReturn:
        """Raise TypeError: a client holds keys and connections."""
        raise TypeError("A client is neither pickled nor copied; each process opens its own.")

    def _open(self, options: dict[str, Any]) -> None:
        """Open the HTTP client with these options of `httpx2.Client`."""
        raise NotImplementedError


def _name(client_id: str) -> str:
    if not client_id:
        raise ConfigurationError("A client needs its client_id.")
    return client_id


def _seconds(timeout: float) -> float:
    if not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
        raise ConfigurationError("The timeout must be a number of seconds above 0.")
    return timeout


def http_options(
    host: str,
    ca: str | Path | None,
    proxy: str | None,
    transport: object,
    *,
    timeout: float,
) -> dict[str, Any]:
    """Options of `httpx2.Client` for one host; the environment's proxy is not used for this machine."""
    if transport is not None and (ca is not None or proxy is not None):
        raise ConfigurationError("A transport has its own trust and proxy: give it those.")
    made = {"transport": transport, "timeout": timeout, "trust_env": not is_loopback(host)}
    try:
        trust = {} if ca is None else {"verify": ssl.create_default_context(cafile=ca)}
        httpx2.Proxy(proxy) if proxy else None
    except (OSError, ssl.SSLError):
        raise ConfigurationError(f"No certificate could be read from {ca}.") from None
    except (ValueError, httpx2.InvalidURL):
        raise ConfigurationError("The proxy is no address like http://host:port.") from None
    return made | trust | ({"proxy": proxy} if proxy else {})


def read_kit(source: Mapping[str, Any] | str | Path, who: str) -> dict[str, Any]:
    """Read one client's credentials from the demo's kit.json."""
    kit = read_json(source, "kit")
    clients = kit.get("clients")
    if not isinstance(clients, Mapping) or not isinstance(clients.get(who), Mapping):
        names = ", ".join(clients) if isinstance(clients, Mapping) else "no clients"
        raise ConfigurationError(f"The kit has no client {who!r}; it has {names}.")
    client = clients[who]
    try:
        return {
            "issuer": kit["issuer"],
            "client_id": client["client_id"],
            "private_jwks": client["private_jwks"],
            "scope": client.get("scope"),
            "redirect_uri": next(iter(client.get("redirect_uris") or ()), None),
        }
    except KeyError as error:
        raise ConfigurationError(f"The kit lacks {error} for {who!r}.") from None
