"""SSRF-safe HTTP requests to URLs chosen by others: public addresses only, no redirects, bounded.

The name is resolved once, all its addresses are checked, and the connection goes to a checked address
with the name's Host and SNI, so that DNS rebinding has no effect.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final, Required, TypedDict, Unpack
from urllib.parse import urlencode, urlsplit

import httpcore2

from gateway.settings import LOOPBACK_HOSTS

MAX_URL_LENGTH: Final = 2_000
TIMEOUT_SECONDS: Final = 3.0
MAX_RESPONSE_BYTES: Final = 64 * 1024
HEADERS: Final[Mapping[bytes | str, bytes | str]] = {
    "Accept": "application/jwk-set+json, application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "xinqiao-gateway",
}
GET_STATUSES: Final = frozenset({200})
PUT_STATUSES: Final = frozenset({200, 201, 204})
# Global by the registries, and yet a way into a private network: protocol assignments, 6to4 relays.
SPECIAL_NETWORKS: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
TUNNEL_NETWORKS: Final = (
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)

Resolve = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[str, int], Awaitable[httpcore2.AsyncNetworkStream]]


class UnfetchableError(Exception):
    """The fetch failed; the message says why and quotes no content.

    `status` is that of an answer other than success; `None` if there was no answer.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Body and headers of a successful answer, header names in lower case."""

    body: bytes
    headers: Mapping[str, str]


async def resolve(host: str, port: int) -> list[str]:
    """Resolve all addresses of `host`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect(address: str, port: int) -> httpcore2.AsyncNetworkStream:
    """Open a stream to a literal address."""
    return await httpcore2.AnyIOBackend().connect_tcp(address, port, timeout=TIMEOUT_SECONDS)


@cache
def system_trust() -> ssl.SSLContext:
    """TLS context with this machine's trusted authorities."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRoute:
    """Access to the network: resolver, connector, trust, timeout; replaced in tests."""

    resolve: Resolve = resolve
    connect: Connect = connect
    trust: Callable[[], ssl.SSLContext] = system_trust
    timeout: float = TIMEOUT_SECONDS


def address_problem(  # noqa: PLR0911  # one line, one reason
    url: str, *, loopback: bool, private: bool = False
) -> str | None:
    """The reason why `url` is not acceptable, without resolving it; `None` if it is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is no URL."
    if not url.isascii() or not url.isprintable() or set(url) & set(' "<>\\^`{|}#'):
        return "it has signs that do not belong into such an address."
    if len(url) > MAX_URL_LENGTH:
        return f"it is longer than {MAX_URL_LENGTH} signs."
    if loopback and parts.scheme == "http" and host in LOOPBACK_HOSTS and port != 0:
        return None
    if parts.scheme != "https" or not host:
        return "it must be an https address."
    if parts.username is not None or parts.password is not None or port == 0:
        return "it must name a host, without a user or password."
    if _is_literal(host) and not (private or is_public(host)):
        return "its host is not a public address."
    return None


def is_public(address: str) -> bool:
    """True for a public literal address: not private, of a tunnel, or multicast."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if found.version == 4:  # noqa: PLR2004  # IPv4
        outside = not any(found in network for network in SPECIAL_NETWORKS)
        return outside and found.is_global and not (found.is_multicast or found.is_reserved)
    # Only global unicast: no mapped, compatible or translated IPv4, no link-local, no multicast.
    return (
        found in GLOBAL_UNICAST
        and found.is_global
        and not any(found in network for network in TUNNEL_NETWORKS)
    )


class FetchOptions(TypedDict, total=False):
    """Options of a request.

    `loopback` allows http to this machine; `private` private networks, for the operator's own URLs.
    """

    loopback: Required[bool]
    private: bool
    route: FetchRoute | None


async def get(
    url: str, headers: Mapping[str, str] | None = None, **options: Unpack[FetchOptions]
) -> Fetched:
    """GET `url` without following redirects; raises `UnfetchableError`."""
    return await _fetch("GET", url, headers or {}, **options)


async def put(
    url: str, content: bytes, headers: Mapping[str, str], **options: Unpack[FetchOptions]
) -> Fetched:
    """PUT `content` to `url`, which must answer 200, 201 or 204; as `get`."""
    return await _fetch("PUT", url, headers, content, accepted=PUT_STATUSES, **options)


async def post(
    url: str, form: Mapping[str, str], headers: Mapping[str, str], **options: Unpack[FetchOptions]
) -> Fetched:
    """POST a form to `url`; as `get`."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return await _fetch("POST", url, headers, urlencode(form).encode(), **options)


async def send(
    method: str,
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    accepted: Collection[int],
    **options: Unpack[FetchOptions],
) -> Fetched:
    """Send `content` to `url`, which must answer one of the statuses `accepted`; as `get`."""
    return await _fetch(method, url, headers, content, accepted=accepted, **options)


async def _fetch(
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes | None = None,
    *,
    accepted: Collection[int] = GET_STATUSES,
    loopback: bool,
    private: bool = False,
    route: FetchRoute | None = None,
) -> Fetched:
    route = route or FetchRoute()
    trouble = address_problem(url, loopback=loopback, private=private)
    if trouble is not None:
        raise UnfetchableError(f"The address cannot be used: {trouble}")
    plain = urlsplit(url).scheme == "http"
    judge = _is_loopback if plain else _is_literal if private else is_public
    backend = _CheckedBackend(route, may_connect=judge)
    sent: dict[bytes | str, bytes | str] = {**HEADERS}
    sent.update(headers.items())
    try:
        async with (
            asyncio.timeout(route.timeout),
            httpcore2.AsyncConnectionPool(
                ssl_context=None if plain else route.trust(), network_backend=backend
            ) as pool,
            pool.stream(method, url, headers=sent, content=content) as response,
        ):
            return await _read(response, accepted)
    except (TimeoutError, httpcore2.TimeoutException):
        raise UnfetchableError(f"It did not answer within {route.timeout:g} seconds.") from None
    except (OSError, UnicodeError, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise UnfetchableError(f"It cannot be reached ({type(error).__name__}).") from None


async def _read(response: httpcore2.Response, good: Collection[int]) -> Fetched:
    if response.status not in good:  # redirects included
        sentence = f"It answered {response.status} instead of 200."
        raise UnfetchableError(sentence, status=response.status)
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
    }
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnfetchableError("It answered in an encoding that was not asked for.")
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise UnfetchableError(f"It answered with more than {MAX_RESPONSE_BYTES} bytes.")
    return Fetched(body=bytes(body), headers=headers)


@dataclass(slots=True)
class _CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects only to addresses that pass `may_connect`."""

    route: FetchRoute
    may_connect: Callable[[str], bool] = field(kw_only=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        *_: Any,
        **__: Any,  # httpcore's timeouts; the whole request has one
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve once; refuse if any address is not allowed."""
        literal = host.strip("[]")
        addresses = [literal] if _is_literal(literal) else await self.route.resolve(host, port)
        if not addresses or not all(map(self.may_connect, addresses)):
            raise UnfetchableError("Its host has an address that is not allowed.")
        for address in addresses[:-1]:
            try:
                return await self.route.connect(address, port)
            except (OSError, httpcore2.NetworkError, httpcore2.TimeoutException):
                continue
        return await self.route.connect(addresses[-1], port)

    async def sleep(self, seconds: float) -> None:
        """Wait, for retries (there are none)."""
        await asyncio.sleep(seconds)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(address: str) -> bool:
    return _is_literal(address) and ip_address(address).is_loopback
