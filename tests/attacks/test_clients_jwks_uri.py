"""SSRF by `jwks_uri`: hostile addresses, names and answers, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway import safe_fetch
from gateway.clients.key_sets import KeySet, fetch_keys
from gateway.safe_fetch import FetchRoute, UnfetchableError, address_problem, is_public
from tests.client_builders import (
    PUBLIC,
    FakeInternet,
    make_fake_internet,
    make_key_server,
    make_set,
    ok,
)
from tests.oauth_builders import public_jwk

PRIVATE_EC = {"d": "c2VjcmV0"}
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104  # not bound to
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
    "",
]


@pytest_asyncio.fixture
async def outside(tmp_path: Path) -> AsyncIterator[FakeInternet]:
    """A bank's key server."""
    async with make_fake_internet(tmp_path) as made:
        made.server.answer = ok(make_set("k1"))
        yield made


async def fetch(outside: FakeInternet, url: str | None = None, **way: Any) -> KeySet:
    """Result of a fetch."""
    own, now = outside.url if url is None else url, datetime.now(UTC)
    return await fetch_keys(own, now=now, loopback=False, route=outside.way(**way))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_inside_is_not_public(address: str) -> None:
    """Private, tunnel, multicast and reserved addresses are not public."""
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700::1111", "240e:3b7::1"])
def test_a_global_address_is_public(address: str) -> None:
    """Public IPv4 and IPv6 addresses are accepted."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.bank.test/jwks.json",
        "http://127.0.0.1/jwks.json",
        "ftp://keys.bank.test/",
        "file:///etc/passwd",
        "gopher://keys.bank.test/",
        "//keys.bank.test/",
        "https:///jwks.json",
        "https://user@keys.bank.test/",
        "https://user:secret@keys.bank.test/",
        "https://@keys.bank.test/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://keys.bank.test:0/",
        "https://keys.bank.test:99999/",
        "https://keys.bank.test/#fragment",
        "https://keys.bank.test/a b",
        "https://keys.bank.test/\r\nHost: inside",
        "https://keys.bank.test\\@inside/",
        "https://ключи.test/",
        "https://keys.bank.test/" + "a" * 2_000,
        "https://[::1",
        "",
    ],
)
async def test_an_address_of_the_wrong_form_is_refused_before_anything_is_resolved(
    outside: FakeInternet, url: str
) -> None:
    """Neither resolved nor connected to."""
    assert address_problem(url, loopback=False)
    with pytest.raises(UnfetchableError):
        await fetch(outside, url)
    assert outside.asked == []
    assert outside.dialled == []


@pytest.mark.parametrize("address", [a for a in NOT_PUBLIC if a not in {"not an address", ""}])
async def test_a_name_that_resolves_inside_is_never_connected_to(
    outside: FakeInternet, address: str
) -> None:
    """The resolved address decides."""
    outside.addresses = [[address]]
    with pytest.raises(UnfetchableError, match="not allowed"):
        await fetch(outside)
    assert outside.dialled == []


async def test_one_private_address_among_public_ones_refuses_them_all(
    outside: FakeInternet,
) -> None:
    """An attacker's DNS may mix them and hope for a retry."""
    outside.addresses = [[PUBLIC, "10.0.0.1"]]
    with pytest.raises(UnfetchableError, match="not allowed"):
        await fetch(outside)
    assert outside.dialled == []


async def test_a_name_is_resolved_once_and_the_judged_address_is_dialled(
    outside: FakeInternet,
) -> None:
    """DNS rebinding: there is no second resolution."""
    outside.addresses = [[PUBLIC], ["127.0.0.1"]]
    assert (await fetch(outside)).jwks["keys"][0]["kid"] == "k1"
    assert len(outside.asked) == 1
    assert outside.dialled == [PUBLIC]


async def test_host_and_certificate_are_the_names_own(outside: FakeInternet) -> None:
    """Host, SNI and certificate use the name, the connection the address."""
    await fetch(outside)
    assert f"host: keys.bank.test:{outside.server.port}" in (
        outside.server.requests[0].decode().lower()
    )


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "localhost."]
)
async def test_another_spelling_of_loopback_is_resolved_and_refused(
    outside: FakeInternet, host: str
) -> None:
    """Spellings that the system resolver understands."""
    url = f"https://{host}:{outside.server.port}/jwks.json"
    with pytest.raises(UnfetchableError):
        await fetch(outside, url, resolve=safe_fetch.resolve, connect=safe_fetch.connect)
    assert outside.server.connections == 0


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    """TLS verification uses the name."""
    async with make_fake_internet(tmp_path, name="other.test") as outside:
        outside.server.answer = ok(make_set("k1"))
        with pytest.raises(UnfetchableError, match="cannot be reached"):
            await fetch(outside)
        assert outside.server.requests == []


async def test_a_certificate_of_an_unknown_authority_is_refused(outside: FakeInternet) -> None:
    """No fallback for untrusted authorities."""
    with pytest.raises(UnfetchableError, match="cannot be reached"):
        await fetch(outside, trust=safe_fetch.system_trust)
    assert outside.server.requests == []


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_not_followed(outside: FakeInternet, status: str) -> None:
    """Not even to the same host."""
    head = f"HTTP/1.1 {status}\r\nLocation: {outside.url}?again\r\nContent-Length: 0\r\n\r\n"
    outside.server.answer = head.encode()
    with pytest.raises(UnfetchableError, match="instead of 200"):
        await fetch(outside)
    assert outside.server.connections == 1


@pytest.mark.parametrize("status", ["204 No Content", "404 Not Found", "500 Broken"])
async def test_anything_but_a_200_is_no_answer(outside: FakeInternet, status: str) -> None:
    """Other statuses are refused, whatever their body."""
    outside.server.answer = ok(make_set("k1")).replace(b"200 OK", status.encode())
    with pytest.raises(UnfetchableError, match="instead of 200"):
        await fetch(outside)


async def test_a_huge_body_is_cut_off(outside: FakeInternet) -> None:
    """Reading stops after 64 kB, with or without Content-Length."""

    async def endless(writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()

    outside.server.answer = endless
    with pytest.raises(UnfetchableError, match="more than 65536"):
        await fetch(outside)
    outside.server.answer = ok(json.dumps(make_set("k1")).encode() + b" " * 65_536)
    with pytest.raises(UnfetchableError, match="more than 65536"):
        await fetch(outside)


@pytest.mark.parametrize(
    "begins", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n{"], ids=["head", "body"]
)
async def test_a_slow_answer_is_given_up_as_a_whole(outside: FakeInternet, begins: bytes) -> None:
    """The time limit is for the whole answer."""

    async def dripping(writer: Any) -> None:
        writer.write(begins)
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    outside.server.answer = dripping
    with pytest.raises(UnfetchableError, match="did not answer within"):
        await fetch(outside, timeout=0.5)


async def test_a_slow_resolver_is_given_up_too(outside: FakeInternet) -> None:
    """DNS resolution has the same limit."""

    async def never(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(60)
        return [PUBLIC]

    with pytest.raises(UnfetchableError, match="did not answer within"):
        await fetch(outside, resolve=never, timeout=0.2)


def test_the_whole_fetch_has_three_seconds() -> None:
    """The documented limit."""
    assert FetchRoute().timeout == 3


async def test_a_compressed_answer_is_not_unpacked(outside: FakeInternet) -> None:
    """Refused by Content-Encoding, against decompression bombs."""
    outside.server.answer = ok(b"\x1f\x8b", "Content-Encoding: gzip")
    with pytest.raises(UnfetchableError, match="encoding"):
        await fetch(outside)


async def test_an_endless_head_is_refused(outside: FakeInternet) -> None:
    """The header section is bounded."""

    async def heading(writer: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100):
            writer.write(b"X-Padding: " + b"a" * 10_000 + b"\r\n")
            await writer.drain()

    outside.server.answer = heading
    with pytest.raises(UnfetchableError):
        await fetch(outside)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"keys",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": ["a"]}',
        b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256"}]}',
        b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}]}',
        b'{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 7}]}',
        b'{"keys": [{"kty": "OKP", "crv": "X25519", "x": "AAAA"}]}',
        b"<html>",
    ],
)
async def test_an_invalid_key_set_is_refused(outside: FakeInternet, content: bytes) -> None:
    """Refused with a sentence that quotes nothing."""
    outside.server.answer = ok(content)
    with pytest.raises(UnfetchableError) as refused:
        await fetch(outside)
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize(
    "keys",
    [
        [public_jwk(ec.generate_private_key(ec.SECP256R1()), kid="k1") | PRIVATE_EC],
        [public_jwk(ec.generate_private_key(ec.SECP256R1()), kid=f"k{n}") for n in range(9)],
        [public_jwk(ec.generate_private_key(ec.SECP256R1()), kid="k1") for _ in range(2)],
        [public_jwk(ec.generate_private_key(ec.SECP384R1()), kid="k1")],
        [public_jwk(rsa.generate_private_key(65_537, 1_024), kid="k1")],  # noqa: S505  # refused
        [{"kty": "RSA", "n": "x" * 20_000, "e": "AQAB"}],
    ],
    ids=["private", "nine", "same kid", "P-384", "short RSA", "long RSA"],
)
async def test_a_set_that_could_not_be_registered_is_refused(
    outside: FakeInternet, keys: Any
) -> None:
    """The same rules as for keys by value."""
    outside.server.answer = ok({"keys": keys})
    with pytest.raises(UnfetchableError, match="not a usable JWK set"):
        await fetch(outside)


async def test_other_members_of_a_key_are_not_stored(outside: FakeInternet) -> None:
    """Certificates and URLs in a key are not stored."""
    key = public_jwk(ec.generate_private_key(ec.SECP256R1()), kid="k1", x5u="https://inside.test/")
    outside.server.answer = ok({"keys": [key], "next": "https://inside.test/"})
    kept = (await fetch(outside)).jwks
    assert kept.keys() == {"keys"}
    assert kept["keys"][0].keys() == {"kty", "crv", "x", "y", "kid"}


async def test_loopback_http_is_for_the_demo_setting_only() -> None:
    """Fetched in the demo setting, refused without a connection elsewhere."""
    async with make_key_server() as server:
        server.answer = ok(make_set("k1"))
        url, now = f"http://127.0.0.1:{server.port}/jwks.json", datetime.now(UTC)
        with pytest.raises(UnfetchableError, match="https"):
            await fetch_keys(url, now=now, loopback=False)
        assert server.connections == 0
        assert (await fetch_keys(url, now=now, loopback=True)).jwks["keys"]


async def test_the_demo_setting_opens_no_other_http() -> None:
    """Loopback by name or number, if it resolves to loopback."""
    assert address_problem("http://10.0.0.1/", loopback=True)
    assert address_problem("http://127.0.0.1.evil.test/", loopback=True)

    async def elsewhere(_host: str, _port: int) -> list[str]:
        return ["10.0.0.1"]

    with pytest.raises(UnfetchableError, match="not allowed"):
        await safe_fetch.get(
            "http://localhost/", loopback=True, route=FetchRoute(resolve=elsewhere)
        )
