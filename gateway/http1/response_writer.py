"""Buffered writing of responses: head and body go to the socket at once, a system call and a packet less.

Data is buffered until the next write, or at most until the event loop's next turn, so that a head
before a slow body goes out by itself.
"""

import asyncio
from collections.abc import Callable
from typing import Final


class ResponseWriter(asyncio.WriteTransport):
    """The write side of a connection's `transport`, for its responses one after another."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport: Final = transport
        self._call_soon: Final[Callable[..., object]] = loop.call_soon
        self._buffered = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Buffer `data`, or send it together with what is buffered."""
        if self._buffered:
            whole, self._buffered = self._buffered + data, b""
            self._transport.write(whole)
        else:
            self._buffered = bytes(data)
            self._call_soon(self.flush)

    def flush(self) -> None:
        """Send what is buffered."""
        if self._buffered:
            whole, self._buffered = self._buffered, b""
            if not self._transport.is_closing():
                self._transport.write(whole)

    def close(self) -> None:
        """Send what is buffered, and close the connection."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """True while or after the connection is closed."""
        return self._transport.is_closing()
