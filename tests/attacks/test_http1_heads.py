"""HTTP/1.1 header sections: one Host, limits on size, number and time."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, repeat
from typing import Final

import pytest

from gateway.http1.head import MAX_FIELDS, MAX_HEAD_BYTES, MAX_TARGET_BYTES
from tests.http1_connection import Http1Connection, connect

HOST: Final = b"Host: a\r\n"
GET: Final = b"GET / HTTP/1.1\r\nHost: a\r\n"
CHUNKED: Final = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
SEGMENT: Final = 64 * 1024


@pytest.mark.parametrize(
    "hosts",
    [
        [], [b"a", b"a"], [b"a", b"b"], [b""], [b" "], [b"a b"], [b"a, b"], [b"a,b"], [b"a/b"],
        [b"u@a"], [b"http://a"], [b"a:b"], [b"a:1:2"], [b"::1"], [b"[::1"], [b"a?b"], [b"\xe4"],
    ],
)  # fmt: skip
async def test_one_well_formed_host_or_400(hosts: list[bytes]) -> None:
    """RFC 9112 §3.2."""
    async with connect() as line:
        await line.arrives(b"GET / HTTP/1.1\r\n" + b"".join(b"Host: %b\r\n" % h for h in hosts))
        await line.arrives(b"\r\n")
        await line.refused(400)
        assert line.app.seen == []


@pytest.mark.parametrize(
    "host",
    [b"a", b"A.example:8420", b"10.0.0.1", b"[::1]:8420", b"xn--fiq228c.cn", b"a_b:", b"a \t"],
)
async def test_hosts_that_are_well_formed_are_served(host: bytes) -> None:
    """Names, addresses and ports, with surrounding white space."""
    async with connect() as line:
        await line.arrives(b"GET / HTTP/1.1\r\nhOST:  %b\r\n\r\n" % host)
        found = dict((await line.answer()).json["headers"])
    assert found == {"host": host.decode().strip()}


async def test_http_1_0_may_leave_the_host_out_but_not_double_it() -> None:
    """HTTP/1.0 health checks have no Host."""
    async with connect() as line:
        await line.arrives(b"GET / HTTP/1.0\r\n\r\n")
        assert (await line.answer()).status == 200
    async with connect() as line:
        await line.arrives(b"GET / HTTP/1.0\r\n" + HOST + HOST + b"\r\n")
        await line.refused(400)


async def _until_refused(line: Http1Connection, segments: Iterable[bytes], status: int) -> int:
    """Bytes accepted before the refusal."""
    taken = 0
    for segment in segments:
        if line.protocol._refusal is not None:
            break
        await line.arrives(segment)
        taken += len(segment)
    await line.refused(status)
    return taken


def _of(size: int, data: bytes) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


ENDLESS: Final = {
    "one field": (b"X: ", b"a", 431),
    "one name": (b"", b"a", 431),
    "many fields": (b"", b"X: a\r\n", 431),
    "many fields of one kilobyte": (b"", b"X: " + b"a" * 1024 + b"\r\n", 431),
    "many empty fields": (b"", b"X:\r\n", 431),
}


@pytest.mark.parametrize("size", [1000, SEGMENT, 256 * 1024])
@pytest.mark.parametrize(("begin", "repeated", "status"), ENDLESS.values(), ids=ENDLESS)
async def test_a_head_without_end_is_refused_while_it_arrives(
    begin: bytes, repeated: bytes, status: int, size: int
) -> None:
    """No more than the limit and one segment of 150 MiB is accepted."""
    many = repeated * (size // len(repeated) + 1)
    async with connect() as line:
        segments = chain([GET + begin], repeat(many, 150 * 1024 * 1024 // len(many)))
        taken = await _until_refused(line, segments, status)
        assert taken <= MAX_HEAD_BYTES + 2 * len(many)
        assert line.app.seen == []


@pytest.mark.parametrize("size", [1000, SEGMENT])
async def test_a_target_without_end_is_refused_while_it_arrives(size: int) -> None:
    """414 before the header limit."""
    async with connect() as line:
        segments = chain([b"GET /"], repeat(b"a" * size, 10_000))
        assert await _until_refused(line, segments, 414) <= MAX_TARGET_BYTES + 3 * size


@pytest.mark.parametrize("before", [b"", b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"])
async def test_empty_lines_without_end_are_refused(before: bytes) -> None:
    """The parser skips empty lines, so they are limited too."""
    async with connect() as line:
        if before:
            await line.arrives(before)
            assert (await line.answer()).status == 200
        assert await _until_refused(line, repeat(b"\r\n" * 500, 10_000), 431) <= 2 * MAX_HEAD_BYTES


@pytest.mark.parametrize(
    ("begin", "repeated"),
    [
        (b"0\r\nX: ", b"a"),
        (b"0\r\n", b"X: a\r\n"),
        (b"3;x=", b"a"),
        (b"", b"0"),
    ],
)
async def test_trailers_and_extensions_without_end_are_refused(
    begin: bytes, repeated: bytes
) -> None:
    """Chunk extensions and trailers are limited."""
    async with connect() as line:
        many = repeated * (1000 // len(repeated))
        segments = chain([CHUNKED, begin], repeat(many, 10_000))
        taken = await _until_refused(line, segments, 431)
        assert taken <= 2 * MAX_HEAD_BYTES
        assert line.app.broken_off == len(line.app.seen) == 1


async def test_heads_within_the_limits_are_served() -> None:
    """In any segmentation; bodies do not count."""
    fields = b"".join(b"X-%d: %b\r\n" % (n, b"a" * 490) for n in range(MAX_FIELDS - 2))
    whole = b"POST /%b HTTP/1.1\r\n" % (b"a" * 1000) + HOST + fields
    whole += b"Content-Length: 300000\r\n\r\n" + b"b" * 300_000
    assert MAX_HEAD_BYTES - 4096 < len(whole) - 300_000 < MAX_HEAD_BYTES
    async with connect() as line:
        for size in (1000, SEGMENT, len(whole)):
            await line.arrives(*_of(size, whole))
            assert len((await line.answer()).json["body"]) == 300_000


async def test_a_field_too_many_is_refused() -> None:
    """Whatever their size."""
    async with connect() as line:
        await line.arrives(GET + b"X: a\r\n" * MAX_FIELDS + b"\r\n")
        await line.refused(431)


async def test_a_head_that_follows_a_large_body_is_counted_from_its_own_begin() -> None:
    """The end of a body and a partial header section in one segment."""
    body = b"b" * 250_000
    async with connect() as line:
        await line.arrives(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 250000\r\n\r\n")
        await line.arrives(body + GET + b"X: " + b"a" * 1000)
        await line.arrives(b"a" * 60_000 + b"\r\n\r\n")
        assert len((await line.answer()).json["body"]) == 250_000
        assert (await line.answer()).status == 200


def hasten(line: Http1Connection) -> None:
    """Shorten the time limit for header sections."""
    line.protocol.head_within = 0.5
    if line.protocol._head_timer is not None:
        line.protocol._stop_head_timer()
        line.protocol._start_head_timer()


async def _trickle(line: Http1Connection, data: bytes) -> None:
    """Send a byte every twentieth of a second."""
    for octet in data:
        await line.arrives(bytes([octet]))
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("before", [b"", b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"])
@pytest.mark.parametrize("begin", [GET, b"GET /", b"\r\n\r\nGET /"])
async def test_a_head_that_trickles_is_ended(begin: bytes, before: bytes) -> None:
    """The limit is for the whole section."""
    async with connect() as line:
        if before:
            await line.arrives(before)
            assert (await line.answer()).status == 200
        hasten(line)
        await line.arrives(begin)
        trickle = asyncio.ensure_future(_trickle(line, b"a" * 10_000))
        await line.refused(408)
        trickle.cancel()
        with suppress(asyncio.CancelledError):
            await trickle


@pytest.mark.parametrize("said", [b"", b"\r\n", b"\n\r\n"])
async def test_a_connection_that_says_nothing_is_closed_in_silence(said: bytes) -> None:
    """Closed without an answer."""
    async with connect() as line:
        hasten(line)
        await line.arrives(said)
        assert await line.ends() == b""


async def test_a_slow_body_is_not_ended() -> None:
    """Bodies have no such limit; handlers bound them."""
    async with connect() as line:
        await line.arrives(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n")
        hasten(line)
        await _trickle(line, b"b" * 20)
        assert (await line.answer()).json["body"] == "b" * 20


async def test_an_idle_connection_is_no_late_head() -> None:
    """The limit starts with the first byte of the next request."""
    async with connect() as line:
        await line.arrives(GET + b"\r\n")
        assert (await line.answer()).status == 200
        hasten(line)
        await asyncio.sleep(0.7)
        await line.arrives(GET + b"\r\n")
        assert (await line.answer()).status == 200


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    """Without an answer."""
    async with connect(timeout_keep_alive=1) as line:
        await line.arrives(GET + b"\r\n")
        assert (await line.answer()).status == 200
        assert await line.ends() == b""


async def test_an_unread_body_does_not_keep_the_connection_open() -> None:
    """Slow bytes of an unread body do not keep it open."""
    async with connect(timeout_keep_alive=1) as line:
        await line.arrives(b"POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        assert (await line.answer()).status == 200
        trickle = asyncio.ensure_future(_trickle(line, b"b" * 10_000))
        assert await line.ends() == b""
        trickle.cancel()


async def test_a_refused_client_can_read_why() -> None:
    """The refusal arrives before the connection is reset."""
    async with connect() as line:
        reader, writer = await asyncio.open_connection(
            *line.protocol.transport.get_extra_info("sockname")
        )
        writer.write(GET + b"X: ")
        for _ in range(400):
            writer.write(b"a" * SEGMENT)
            await writer.drain()
        told = await reader.read()
        writer.close()
    assert told.startswith(b"HTTP/1.1 431 ")
