"""Whose word counts is a question of the TCP connection's other end, never of a header.

Pure. An IPv4 address that comes in IPv6's clothes (`::ffff:10.0.0.1`) is the IPv4 address.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Network = IPv4Network | IPv6Network
MAPPED: Final = IPv6Network("::ffff:0:0/96")


def networks_of(value: object) -> tuple[Network, ...]:
    """The networks in a text, by spaces or commas; raises `ValueError` with a sentence."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004  # pydantic takes no other
    return tuple(_network(part) for part in value.replace(",", " ").split())


def is_among(peer: str | None, networks: Iterable[Network]) -> bool:
    """Whether a connection's other end is in one of `networks`; one without address never is."""
    try:
        address = ip_address(peer or "")
    except ValueError:
        return False
    plain = _plain(address)
    return any(plain.version == each.version and plain in each for each in networks)


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(
            "one of them is no address and no network (as 10.0.0.7, 10.0.0.0/28 or fd00::/64)"
        ) from None
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        inner = IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        network = IPv4Network((inner, network.prefixlen - MAPPED.prefixlen))
    if network.prefixlen == 0:
        raise ValueError("one of them is everybody, whom nobody can trust")
    return network


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
