"""Splits the body of a batch into lines as its bytes arrive. Pure.

Each line has the SHA-256 of the body up to its end, so that a repeated body is recognised line by line.
Blank lines are passed over. A line that is too long is cut off, and known as such.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

MAX_LINE_BYTES: Final = 64 * 1024
_END: Final = b"\n"


class RawLine(NamedTuple):
    """One line as it came, without its end. `position` counts from 1; `prefix` digests the body so far."""

    position: int
    text: bytes
    is_too_long: bool
    prefix: bytes


class LineSplitter:
    """The lines of one body."""

    def __init__(self) -> None:
        self._body = hashlib.sha256()
        self._rest = bytearray()
        self._is_too_long = False
        self.lines = 0

    @property
    def body_digest(self) -> bytes:
        """SHA-256 of all bytes so far, but for a last line that has not ended."""
        return self._body.digest()

    def feed(self, chunk: bytes) -> Iterator[RawLine]:
        """The lines that end in the next bytes of the body."""
        *ended, rest = chunk.split(_END)
        for part in ended:
            self._take(part)
            yield from self._end(_END)
        self._take(rest)

    def finish(self) -> Iterator[RawLine]:
        """The last line, where the body does not end with a line's end."""
        yield from self._end(b"")

    def _take(self, part: bytes) -> None:
        self._rest += part
        if len(self._rest) > MAX_LINE_BYTES:
            self._is_too_long = True
        if self._is_too_long:
            self._body.update(self._rest)
            self._rest.clear()

    def _end(self, end: bytes) -> Iterator[RawLine]:
        text, is_too_long = bytes(self._rest), self._is_too_long
        self._rest.clear()
        self._is_too_long = False
        self._body.update(text + end)
        if is_too_long or text.strip():
            self.lines += 1
            yield RawLine(
                position=self.lines,
                text=b"" if is_too_long else text,
                is_too_long=is_too_long,
                prefix=self._body.digest(),
            )
