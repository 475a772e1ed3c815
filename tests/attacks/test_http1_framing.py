"""HTTP/1.1 message framing (RFC 9112), independent of segmentation."""

import asyncio
from typing import Final

import pytest

from tests.http1_connection import connect, segmentations

INNER: Final = (
    b"POST /inner HTTP/1.1\r\nHost: a\r\nClient-Cert: :AAAA:\r\nContent-Length: 0\r\n\r\n"
)
AFTER: Final = b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADES: Final = (
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAA\r\nUpgrade: h2c\r\n",
    b"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n",
    b"Upgrade: foo/1\r\nConnection: upgrade\r\n",
    b"Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Connection: close, Upgrade\r\nConnection: upgrade\r\nUpgrade: TLS/1.0\r\n",
)


def message(path: bytes, fields: bytes, body: bytes = b"", *, chunked: bool = False) -> bytes:
    """A POST with this body."""
    if chunked:
        framing, body = b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        framing = b"Content-Length: %d" % len(body)
    return b"POST %b HTTP/1.1\r\nHost: a\r\n%b%b\r\n\r\n%b" % (path, fields, framing, body)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("fields", UPGRADES)
async def test_an_upgrade_is_served_as_http_with_its_body(fields: bytes, chunked: bool) -> None:
    """RFC 9110 §7.8: the upgrade is ignored; body and next request are served."""
    whole = message(b"/outer", fields, INNER, chunked=chunked)
    head = whole.index(b"\r\n\r\n") + 4
    for segments in segmentations(whole, head, head + 1, head - 1, len(whole) - 1):
        async with connect() as line:
            await line.arrives(*segments)
            answer = await line.answer()
            assert (answer.status, answer.json["body"]) == (200, INNER.decode())
            assert "upgrade" not in {name for name, _ in answer.json["headers"]}
            assert line.app.paths == ["/outer"]
            if b"close" in fields:
                assert await line.ends() == b""
            else:
                await line.arrives(AFTER)
                assert (await line.answer()).json["path"] == "/after"
                assert line.app.paths == ["/outer", "/after"]


async def test_upgrades_that_come_together_are_served_one_by_one() -> None:
    """Several upgrades in one segment."""
    get = b"GET /%d HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    whole = b"".join(get % number for number in range(50)) + message(b"/last", UPGRADES[0], b"x")
    async with connect() as line:
        await line.arrives(whole)
        paths = [(await line.answer()).json["path"] for _ in range(51)]
    assert paths == line.app.paths == [*(f"/{number}" for number in range(50)), "/last"]


async def test_an_upgrade_of_http_1_0_is_ignored_too() -> None:
    """An HTTP/1.0 connection closes after its answer."""
    async with connect() as line:
        await line.arrives(
            b"POST / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx"
        )
        answer = await line.answer()
        assert (answer.status, answer.json["body"], answer.closes) == (200, "x", True)
        assert await line.ends() == b""


HOST: Final = b"Host: a\r\n"
POST: Final = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED: Final = POST + b"Transfer-Encoding: chunked\r\n\r\n"
HEADS: Final = {
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    "a tunnel that upgrades": (
        b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        501,
    ),
    "HTTP/2 with prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2.0 by name": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "both framings": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc", 400),
    "both framings, turned": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        400,
    ),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    "one length twice": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "a list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "a signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "a negative length": (POST + b"Content-Length: -3\r\n\r\nabc", 400),
    "a hexadecimal length": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "an empty length": (POST + b"Content-Length:\r\n\r\nabc", 400),
    "an endless length": (POST + b"Content-Length: 99999999999999999999\r\n\r\nabc", 400),
    "a length after a gap": (POST + b"Content-Length : 3\r\n\r\nabc", 400),
    "an unknown coding": (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    "a second coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "an empty coding beside": (POST + b"Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 501),
    "chunked not last": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n", 400),
    "chunked in a fold": (POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked after a gap": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in HTTP/1.0": (
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a folded field": (POST + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400),
    "a bare LF": (POST + b"X: a\nContent-Length: 0\r\n\r\n", 400),
    "a bare CR": (POST + b"X: a\rContent-Length: 0\r\n\r\n", 400),
    "a NUL": (POST + b"X: a\0\r\nContent-Length: 0\r\n\r\n", 400),
    "a line without a colon": (POST + b"X\r\nContent-Length: 0\r\n\r\n", 400),
    "a space before the first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "no path": (b"GET a HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "bytes beyond ASCII": (b"GET /\xc3\xa4 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "a method of its own": (b"EVIL / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
}


@pytest.mark.parametrize(("head", "status"), HEADS.values(), ids=HEADS)
async def test_ambiguous_framing_is_refused(head: bytes, status: int) -> None:
    """Ambiguous framing: one 400, and the connection closes."""
    for segments in segmentations(head + INNER + AFTER, len(head)):
        async with connect() as line:
            await line.arrives(*segments)
            await line.refused(status)
            await line.arrives(AFTER)
            assert line.app.seen == []


BODIES: Final = {
    "bare LF after a size": b"3\nabc\r\n0\r\n\r\n",
    "bare LF after a chunk": b"3\r\nabc\n0\r\n\r\n",
    "a space after a size": b"3 \r\nabc\r\n0\r\n\r\n",
    "a bare LF in an extension": b'3;a="\n"\r\nabc\r\n0\r\n\r\n',
    "a bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "a prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-3\r\nabc\r\n0\r\n\r\n",
    "an endless size": b"fffffffffffffffff\r\nabc",
    "a chunk longer than its size": b"3\r\nabcd\r\n0\r\n\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "a length in a trailer": b"0\r\nContent-Length: 5\r\n\r\n",
    "a coding in a trailer": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a folded trailer": b"0\r\nX: a\r\n b\r\n\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_breaks_its_framing_ends_the_connection(body: bytes) -> None:
    """The application gets no complete body, and the connection closes."""
    for segments in segmentations(CHUNKED + body + AFTER, len(CHUNKED), len(CHUNKED) + 3):
        async with connect() as line:
            await line.arrives(*segments)
            await line.refused(400)
            assert line.app.paths in ([], ["/"])
            assert all(not each["body"] for each in line.app.seen)
            assert line.app.broken_off == len(line.app.seen)


async def test_a_trailer_is_no_header() -> None:
    """RFC 9110 §6.5.1: trailers are not merged into headers."""
    body = b"3\r\nabc\r\n0\r\nClient-Cert: :AAAA:\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    for segments in segmentations(CHUNKED + body, len(CHUNKED), len(CHUNKED) + 8):
        async with connect() as line:
            await line.arrives(*segments, AFTER)
            answer = await line.answer()
            assert (answer.status, answer.json["body"]) == (200, "abc")
            assert answer.json["headers_after"] == len(answer.json["headers"])
            assert dict(answer.json["headers"]) == {"host": "a", "transfer-encoding": "chunked"}
            assert (await line.answer()).json["path"] == "/after"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_nothing_after_the_last_message_is_served(version: bytes) -> None:
    """After `Connection: close`, and HTTP/1.0."""
    last = b"GET /last HTTP/%b\r\nHost: a\r\nConnection: close\r\n\r\n" % version
    for segments in segmentations(last + INNER, len(last)):
        async with connect() as line:
            await line.arrives(*segments)
            answer = await line.answer()
            assert (answer.json["path"], answer.closes) == ("/last", True)
            assert await line.ends() == b""
            assert line.app.paths == ["/last"]


@pytest.mark.parametrize("fault", [b"EVIL / HTTP/1.1\r\n\r\n", CHUNKED + b"x", POST + b" \r\n\r\n"])
async def test_a_refusal_waits_for_the_answers_before_it(fault: bytes) -> None:
    """Answers keep the order of their requests."""
    held = b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n"
    async with connect() as line:
        await line.arrives(held + AFTER + fault + AFTER)
        line.app.release.set()
        assert (await line.answer()).json["path"] == "/held"
        assert (await line.answer()).json["path"] == "/after"
        await line.refused(400)
        assert line.app.paths == ["/held", "/after"]


async def test_an_answer_that_has_begun_is_not_followed_by_a_refusal() -> None:
    """The connection closes without a second answer."""
    async with connect() as line:
        await line.arrives(CHUNKED.replace(b"POST / ", b"POST /early "))
        assert (await line.answer()).status == 200
        await line.arrives(b"x" + AFTER)
        assert await line.ends() == b""
        assert line.app.paths == ["/early"]


async def test_an_unread_body_is_skipped_completely() -> None:
    """An unread body is skipped."""
    async with connect() as line:
        await line.arrives(message(b"/early", b"", INNER)[: -len(INNER)])
        assert (await line.answer()).json["path"] == "/early"
        await line.arrives(INNER[:9], INNER[9:] + AFTER)
        assert (await line.answer()).json["path"] == "/after"
        assert line.app.paths == ["/early", "/after"]


EXPECTING: Final = b"Expect: 100-continue\r\n"


async def test_a_body_that_was_not_asked_for_ends_the_connection() -> None:
    """After `Expect: 100-continue` without a read, the connection closes."""
    async with connect() as line:
        await line.arrives(message(b"/early", EXPECTING, INNER)[: -len(INNER)], AFTER)
        answer = await line.answer()
        assert (answer.json["path"], answer.closes) == ("/early", True)
        assert await line.ends() == b""
        assert line.app.paths == ["/early"]


async def test_a_body_that_is_asked_for_arrives() -> None:
    """`100 Continue`, the answer, and a reusable connection."""
    async with connect() as line:
        whole = message(b"/outer", EXPECTING + UPGRADES[0], INNER)
        await line.arrives(whole[: -len(INNER)])
        assert (await line.answer()).status == 100
        await line.arrives(INNER, AFTER)
        assert (await line.answer()).json["body"] == INNER.decode()
        assert (await line.answer()).json["path"] == "/after"


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        (b"http://b.example:81/x?y", "/x", "y", "b.example:81"),
        (b"HTTPS://b.example", "/", "", "b.example"),
        (b"http://b.example?y=/z", "/", "y=/z", "b.example"),
        (b"http://[::1]:80/x", "/x", "", "[::1]:80"),
        (b"/x?http://b.example/", "/x", "http://b.example/", "a"),
    ],
)
async def test_the_host_of_an_absolute_target_counts(
    target: bytes, path: str, query: str, host: str
) -> None:
    """RFC 9112 §3.2.2: it overrides the Host field, which is still required."""
    async with connect() as line:
        await line.arrives(b"GET %b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n" % target)
        found = (await line.answer()).json
    assert (found["path"], found["query"]) == (path, query)
    assert [value for name, value in found["headers"] if name == "host"] == [host]


@pytest.mark.parametrize(
    "target",
    [b"ftp://a/x", b"http:///x", b"http://u@a/x", b"http://a b/x", b"http://a#b", b"http://a,b/"],
)
async def test_an_address_that_is_none_is_refused(target: bytes) -> None:
    """Another scheme, no host, credentials, a fragment."""
    async with connect() as line:
        await line.arrives(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
        await line.refused(400)


async def test_crowds_of_messages_are_answered_in_order() -> None:
    """Three hundred pipelined requests with bodies, every third with an upgrade."""
    whole = b"".join(
        message(b"/%d" % n, UPGRADES[0] if n % 3 == 0 else b"", b"%d" % n, chunked=n % 2 == 0)
        for n in range(300)
    )
    async with connect() as line:
        sending = asyncio.ensure_future(line.arrives(whole))
        found = [(await line.answer()).json for _ in range(300)]
        await sending
    assert [(each["path"], each["body"]) for each in found] == [
        (f"/{n}", f"{n}") for n in range(300)
    ]
