"""Trusted-proxy check by peer address, never by a header. Pure.

IPv4-mapped IPv6 addresses (`::ffff:10.0.0.1`) count as IPv4.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
MAPPED_IPV4: Final = IPv6Network("::ffff:0:0/96")


def parse_networks(value: object) -> tuple[Network, ...]:
    """Parse networks separated by spaces or commas; raises `ValueError` with a sentence."""
    if isinstance(value, tuple):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004  # pydantic takes no other
    return tuple(_network(part) for part in value.replace(",", " ").split())


def is_in_networks(peer: str | None, networks: Collection[Network]) -> bool:
    """True where a peer address is in one of `networks`; `None` never is."""
    if not networks:
        return False
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
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED_IPV4):
        inner = IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        network = IPv4Network((inner, network.prefixlen - MAPPED_IPV4.prefixlen))
    if network.prefixlen == 0:
        raise ValueError("one of them is everybody, whom nobody can trust")
    return network


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
