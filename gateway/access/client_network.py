"""Network of a request's sender, for rate limits and counts of public pages; never stored.

A trusted proxy's `X-Forwarded-For` is believed: the last entry, which the proxy itself has written.
From any other peer the header is ignored.
"""

from typing import Final

from fastapi import Request

from gateway.runtime import Runtime
from gateway.trusted_proxies import is_in_networks, network_of

FORWARDED_FOR: Final = "x-forwarded-for"


def client_network(request: Request, runtime: Runtime) -> str:
    """The sender's network, as `203.0.113.0/24`; an unreadable address counts as the empty one."""
    peer = request.client.host if request.client else None
    if is_in_networks(peer, runtime.settings.trusted_proxies):
        fields = request.headers.getlist(FORWARDED_FOR)
        if fields:
            return network_of(fields[-1].rpartition(",")[2])
    return network_of(peer)
