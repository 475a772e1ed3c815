"""Head and body of a response in one write."""

import asyncio

import pytest

from gateway.http1.response_writer import ResponseWriter

pytestmark = pytest.mark.asyncio


class Socket(asyncio.Transport):
    """A transport that notes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Note `data`."""
        self.writes.append(bytes(data))

    def close(self) -> None:
        """Note that nothing follows."""
        self.closed = True

    def is_closing(self) -> bool:
        """True once closed."""
        return self.closed


async def test_a_head_goes_out_with_its_body() -> None:
    """And the next response by itself."""
    socket = Socket()
    writer = ResponseWriter(socket, asyncio.get_running_loop())
    for piece in (b"head", b"body", b"next", b""):
        writer.write(piece)
    assert socket.writes == [b"headbody", b"next"]
    await asyncio.sleep(0)
    assert len(socket.writes) == 2


async def test_a_head_before_a_slow_body_goes_out_by_itself() -> None:
    """At the event loop's next turn."""
    socket = Socket()
    writer = ResponseWriter(socket, asyncio.get_running_loop())
    writer.write(b"head")
    assert not socket.writes
    await asyncio.sleep(0)
    writer.write(b"first")
    writer.write(b"second")
    assert socket.writes == [b"head", b"firstsecond"]


async def test_what_is_held_goes_out_before_the_end() -> None:
    """Also a head without a body; after the end nothing is written."""
    socket = Socket()
    writer = ResponseWriter(socket, asyncio.get_running_loop())
    writer.write(b"head")
    writer.close()
    assert (socket.writes, writer.is_closing()) == ([b"head"], True)
    writer.write(b"late")
    await asyncio.sleep(0)
    assert socket.writes == [b"head"]
