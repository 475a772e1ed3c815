"""Network of a request's sender, for rate limits and counts of public pages; never stored.

A trusted proxy's `X-Forwarded-For` is believed, from its end: each hop has written the one before it, up
to the first that is no trusted proxy. From any other peer the header is ignored.
"""

import re
from collections.abc import Iterator
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
_HOST: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}", re.ASCII)
"""An address in brackets or with a port."""
_MAPPED: Final = bytes(10) + b"\xff\xff"


def client_network(request: Request, runtime: Runtime) -> bytes:
    """The sender's network: the bytes of its /24 (IPv4) or /48 (IPv6); an unreadable address has none."""
    proxies, address = runtime.settings.trusted_proxies, ""
    for address in _hops(request):
        if not is_in_networks(address, proxies):
            break
    return network_of(address)


def _hops(request: Request) -> Iterator[str]:
    """The addresses that the request came through, the nearest first; the header's without ports."""
    yield request.client.host if request.client else ""
    for field in reversed(request.headers.getlist(FORWARDED_FOR)):
        for entry in reversed(field.split(",")):
            written = entry.strip()
            found = _HOST.fullmatch(written)
            yield (found[1] or found[2]) if found else written


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
