"""HTTP/1.1 parsing does not depend on segmentation."""

import asyncio
from itertools import pairwise
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http1_connection import connect

HOST: Final = b"Host: a\r\n"
UPGRADE: Final = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
MESSAGES: Final = (
    b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /b HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n",
    b"POST /c HTTP/1.1\r\n" + HOST + UPGRADE + b"Content-Length: 3\r\n\r\nGET",
    b"POST /d HTTP/1.1\r\n" + HOST + UPGRADE + b"Transfer-Encoding: chunked\r\n\r\n",
    b"POST /e HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n",
    b"POST /f HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    b"POST /early HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n",
    b"GET /g HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /h HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    b"GET http://b/i HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n",
)
PIECES: Final = (
    b"5\r\nGET /\r\n", b"3;x=y\r\nabc\r\n", b"0\r\n\r\n", b"0\r\nClient-Cert: x\r\n\r\n", b"abc", b"\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n" + HOST + b"\r\n", b"GET / HTTP/1.1\r\n\r\n", b" ", b"Upgrade: h2c\r\n",
)  # fmt: skip
Served = list[tuple[str, str]]


async def served(segments: list[bytes]) -> Served:
    """Path and body of each message that the application received completely."""
    async with connect() as line:
        for segment in segments:
            await line.arrives(segment)
        for _ in range(200):
            await asyncio.sleep(0)
        # An application that answers early has no body to show.
        return [
            (each["path"], "" if each["path"] == "/early" else each["body"])
            for each in line.app.seen
            if "headers_after" in each
        ]


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(MESSAGES + PIECES), min_size=1, max_size=6).map(b"".join),
    st.lists(st.integers(1, 600), max_size=5),
)
async def test_the_same_bytes_are_the_same_messages(sent: bytes, places: list[int]) -> None:
    """No message is lost or created at a segment's border."""
    cuts = sorted({0, len(sent), *(place for place in places if place < len(sent))})
    segments = [sent[a:b] for a, b in pairwise(cuts)]
    assert await served(segments) == await served([sent])
