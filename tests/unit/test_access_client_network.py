"""Network of a sender: by the TCP peer, or by what trusted proxies have written."""

import pytest
from starlette.requests import Request

from gateway.access.http.client_network import client_network, network_of
from gateway.trusted_proxies import parse_networks


class Settings:
    """The one setting that counts."""

    trusted_proxies = parse_networks("10.0.0.7, 10.0.0.9, 2001:db8:cd::/48")


class Runtime:
    """A runtime of settings alone."""

    settings = Settings()


def request_from(peer: str | None, *forwarded: str) -> Request:
    """A request over a connection from `peer`, with `X-Forwarded-For` fields."""
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return Request({"type": "http", "client": peer and (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", bytes([203, 0, 113])),
        ("::ffff:203.0.113.77", bytes([203, 0, 113])),
        ("2001:db8:1:2::3", bytes.fromhex("20010db80001")),
        ("2001:DB8:0001::", bytes.fromhex("20010db80001")),
        ("203.0.113", b""),
        ("fe80::1%eth0", b""),
        ("203.0.113.77\0", b""),
        ("203.0.113.77, 1.2.3.4", b""),
        ("", b""),
    ],
)
def test_an_address_counts_under_its_network(address: str, network: bytes) -> None:
    """/24 or /48; a text that is no address counts under one name."""
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("203.0.113.5", ("192.0.2.1",), "203.0.113.0"),
        ("10.0.0.7", (), "10.0.0.0"),
        ("10.0.0.7", ("192.0.2.1",), "192.0.2.0"),
        ("10.0.0.7", ("198.51.100.9, 192.0.2.1",), "192.0.2.0"),
        ("10.0.0.7", ("198.51.100.9", "192.0.2.1"), "192.0.2.0"),
        ("10.0.0.7", ("192.0.2.1, <script>",), ""),
        (None, ("192.0.2.1",), ""),
        ("10.0.0.7", ("203.0.113.5, 10.0.0.9",), "203.0.113.0"),
        ("10.0.0.7", ("192.0.2.1, 203.0.113.5", "2001:db8:cd::1, 10.0.0.9"), "203.0.113.0"),
        ("10.0.0.7", ("203.0.113.5, [2001:db8:cd::1]:8443",), "203.0.113.0"),
        ("10.0.0.7", ("10.0.0.9, 203.0.113.5",), "203.0.113.0"),
        ("10.0.0.7", ("192.0.2.1, unknown, 10.0.0.9",), ""),
        ("10.0.0.7", ("10.0.0.9",), "10.0.0.0"),
        ("10.0.0.7", ("203.0.113.5:443",), "203.0.113.0"),
        ("10.0.0.7", ("[2001:db8:1::3]:443",), "2001:db8:1::"),
        ("10.0.0.7", ("[2001:db8:1::3]",), "2001:db8:1::"),
        ("10.0.0.7", ("203.0.113.5:x",), ""),
        ("10.0.0.7", ("203.0.113.5, ",), ""),
        ("203.0.113.5", ("192.0.2.1, 10.0.0.9",), "203.0.113.0"),
    ],
)
def test_the_nearest_hop_that_is_no_trusted_proxy_counts(
    peer: str | None, forwarded: tuple[str, ...], network: str
) -> None:
    """What a caller writes itself stands before it, and from anybody else it is ignored."""
    found = client_network(request_from(peer, *forwarded), Runtime())  # type: ignore[arg-type]
    assert found == network_of(network)
