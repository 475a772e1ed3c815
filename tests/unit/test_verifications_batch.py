"""Pure parts of a batch, and its sender: splitting, numbering, rounds, a client that stops reading."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from gateway.access.errors import Refusal
from gateway.verifications.batch.line_source import AHEAD, AHEAD_BYTES, LineSource
from gateway.verifications.batch.line_splitter import MAX_LINE_BYTES, LineSplitter
from gateway.verifications.batch.lines import Line, LineParser, rounds
from gateway.verifications.batch.manifest import line_leaf, line_proof
from gateway.verifications.batch.stream_sender import StreamSender
from tests.batch_builders import batch_line
from tests.reference_merkle import mth, root_from_path

LINES = st.lists(st.binary(max_size=12).filter(lambda each: b"\n" not in each), max_size=8)


@given(lines=LINES, cuts=st.lists(st.integers(0, 90), max_size=6), ended=st.booleans())
def test_lines_are_the_same_however_the_bytes_arrive(
    lines: list[bytes], cuts: list[int], *, ended: bool
) -> None:
    """Blank ones are passed over; each knows the digest of the body so far."""
    body = b"\n".join(lines) + (b"\n" if ended else b"")
    places = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    splitter = LineSplitter()
    found = [
        raw for begin, end in itertools.pairwise(places) for raw in splitter.feed(body[begin:end])
    ]
    found += splitter.finish()
    assert [raw.text for raw in found] == [each for each in lines if each.strip()]
    assert [raw.position for raw in found] == list(range(1, len(found) + 1))
    assert splitter.body_digest == hashlib.sha256(body).digest()
    for raw in found:
        assert any(
            raw.prefix == hashlib.sha256(body[: end + 1]).digest() for end in range(len(body) + 1)
        )


def test_a_line_that_is_too_long_is_cut_off_and_counted() -> None:
    """The digest is of all bytes; the next line is a line again."""
    body = b"x" * (MAX_LINE_BYTES + 1) + b"\n{}\n"
    splitter = LineSplitter()
    found = [*splitter.feed(body[:70_000]), *splitter.feed(body[70_000:])]
    assert [(raw.is_too_long, raw.text) for raw in found] == [(True, b""), (False, b"{}")]
    assert found[-1].prefix == hashlib.sha256(body).digest()


def parsed(*texts: bytes) -> list[Line]:
    """The lines of a body."""
    splitter, parser = LineSplitter(), LineParser()
    return [parser.parse(raw) for raw in splitter.feed(b"".join(text + b"\n" for text in texts))]


def test_a_number_is_taken_once() -> None:
    """The second line of a number is wrong, and answered under it."""
    one = batch_line(5, "91330106MAHD08319M", "is_active.v1")
    first, second, third = parsed(one, one, b"5")
    assert not isinstance(first.parsed, Refusal)
    assert isinstance(second.parsed, Refusal)
    assert isinstance(third.parsed, Refusal)
    assert [first.number, second.number, third.number] == [5, 5, 3]


def test_lines_about_one_enterprise_go_one_after_another() -> None:
    """Each round names an enterprise once, and the lines keep their order."""
    codes = ["91330106MAHD08319M", "91330106MA2CXXXX16"]
    texts = [batch_line(n, codes[n % 3 % 2], "is_active.v1") for n in range(9)]
    found = rounds(parsed(*texts))
    for together in found:
        assert len({line.uscc for line in together}) == len(together)
    for code in codes:
        numbers = [line.number for together in found for line in together if line.uscc == code]
        assert numbers == sorted(numbers)
    assert sum(map(len, found)) == len(texts)


@given(count=st.integers(1, 40), data=st.data())
def test_a_line_is_shown_by_its_proof(count: int, data: st.DataObject) -> None:
    """As the reference tree has it."""
    lines = [f"line {n}" for n in range(count)]
    index = data.draw(st.integers(0, count - 1))
    entries = [line.encode() for line in lines]
    proof = line_proof([line_leaf(line) for line in lines], index)
    assert root_from_path(entries[index], index, count, proof) == mth(entries)


def quiet_request() -> Request:
    """A request whose client neither sends nor hangs up."""

    async def receive() -> Any:
        await asyncio.Event().wait()

    return Request({"type": "http", "headers": [], "method": "POST", "path": "/"}, receive)


@pytest.mark.asyncio
async def test_a_client_that_stops_reading_is_left() -> None:
    """No further set is begun for it."""
    begun = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal begun
        while True:
            begun += 1
            yield b"{}\n"

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()  # its buffers are full

    source = LineSource(quiet_request(), None)
    sender = StreamSender(
        scope={"type": "http", "state": {}}, send=send, headers=(), source=source, patience=0.01
    )
    async with source.reading():
        await sender.send_all(chunks())
    assert begun == 1


@pytest.mark.asyncio
async def test_a_client_that_still_sends_is_waited_for() -> None:
    """Many send everything before they read."""
    parts = [b'{"line": 1}\n'] * 5
    reads = asyncio.Event()

    async def receive() -> Any:
        await asyncio.sleep(0.02)
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": bool(parts)}
        reads.set()
        await asyncio.Event().wait()
        return None

    sent: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await reads.wait()
            sent.append(message["body"])

    async def chunks() -> AsyncIterator[bytes]:
        yield b"{}\n"

    request = Request({"type": "http", "headers": [], "method": "POST", "path": "/"}, receive)
    source = LineSource(request, None)
    sender = StreamSender(
        scope={"type": "http", "state": {}}, send=send, headers=(), source=source, patience=0.5
    )
    async with source.reading():
        await sender.send_all(chunks())
    assert sent == [b"{}\n", b""]


@pytest.mark.asyncio
@pytest.mark.parametrize("line", [b"{}\n", b"x" * 50_000 + b"\n"], ids=["short", "long"])
async def test_a_client_is_read_a_few_sets_ahead_and_no_further(line: bytes) -> None:
    """By lines and by bytes: the rest waits in the connection until some are taken."""
    asked = 0

    async def receive() -> Any:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": line * 10, "more_body": True}

    request = Request({"type": "http", "headers": [], "method": "POST", "path": "/"}, receive)
    source = LineSource(request, None)
    async with source.reading():
        assert await source.wait()
        for _ in range(500):
            await asyncio.sleep(0)
        before = asked
        assert before * 10 <= AHEAD + 10
        assert before * len(line) * 10 <= AHEAD_BYTES + 10 * len(line)
        assert source.take(200)
        for _ in range(500):
            await asyncio.sleep(0)
        assert asked > before
