"""Network of a request's sender, for rate limits and counts of public pages; never stored.

A trusted proxy's `X-Forwarded-For` is believed: the last entry, which the proxy itself has written.
From any other peer the header is ignored.
"""

from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

from fastapi import Request

from gateway.runtime import Runtime
from gateway.trusted_proxies import is_in_networks

FORWARDED_FOR: Final = "x-forwarded-for"
IPV4_BYTES: Final = 3
"""A /24."""
IPV6_BYTES: Final = 6
"""A /48."""
_MAPPED: Final = bytes(10) + b"\xff\xff"


def client_network(request: Request, runtime: Runtime) -> bytes:
    """The sender's network: the bytes of its /24 (IPv4) or /48 (IPv6); an unreadable address has none."""
    peer = request.client.host if request.client else ""
    proxies = runtime.settings.trusted_proxies
    if proxies and is_in_networks(peer, proxies):
        fields = request.headers.getlist(FORWARDED_FOR)
        if fields:
            return network_of(fields[-1].rpartition(",")[2].strip())
    return network_of(peer)


def network_of(address: str) -> bytes:
    """The network of an address; IPv4-mapped IPv6 addresses count as IPv4."""
    try:
        return inet_pton(AF_INET, address)[:IPV4_BYTES]
    except (OSError, ValueError):
        pass
    try:
        packed = inet_pton(AF_INET6, address)
    except (OSError, ValueError):
        return b""
    mapped = packed.startswith(_MAPPED)
    return packed[len(_MAPPED) :][:IPV4_BYTES] if mapped else packed[:IPV6_BYTES]
