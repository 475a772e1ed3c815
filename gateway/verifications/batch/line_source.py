"""Lines of a batch as they arrive: read a few sets ahead, and no further.

While answers wait for a client that has not sent everything yet, reading goes on, up to the size of a
whole body: many clients send the whole request before they read.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.access.errors import (
    DigestMismatchError,
    GatewayError,
    InvalidRequestError,
    PayloadTooLargeError,
)
from gateway.access.http.body import BODY_TIMEOUT_SECONDS
from gateway.access.http.content_digest import ContentDigest
from gateway.verifications.batch.answer_lines import SET_SIZE
from gateway.verifications.batch.line_splitter import LineSplitter, RawLine

MAX_LINES: Final = 10_000
MAX_BYTES: Final = 16 * 1024 * 1024
AHEAD: Final = 4 * SET_SIZE
"""Lines that are read before those in front of them are answered …"""
AHEAD_BYTES: Final = 2 * 1024 * 1024
"""… and their bytes."""


ARRIVAL_SECONDS: Final = 900
"""In which the whole body arrives, however often a little of it does: a batch holds one of few slots."""


class LineSource:
    """The lines of one request; `declared` is the digest that its body must have."""

    def __init__(
        self,
        request: Request,
        declared: ContentDigest | None,
        *,
        within: float = ARRIVAL_SECONDS,
    ) -> None:
        """`within` is in seconds."""
        self._request = request
        self._within = within
        self._declared = declared
        algorithms = frozenset[str]() if declared is None else declared.algorithms
        self._hashes = {name: hashlib.new(name) for name in algorithms}
        self._splitter = LineSplitter()
        self._lines: deque[RawLine] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._is_sending = False
        self._has_ended = False
        self._trouble: GatewayError | None = None
        self.received = 0
        """Bytes so far."""
        self.is_cut = False
        """True where the client is gone."""

    @property
    def body_digest(self) -> bytes:
        """SHA-256 of the body, once it is there."""
        return self._splitter.body_digest

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read inside the block."""
        task = asyncio.create_task(self._read())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Inside the block answers wait for the client, and reading for nothing."""
        self._is_sending = True
        self._make_room()
        try:
            yield
        finally:
            self._is_sending = False
            self._make_room()

    async def arrive(self) -> None:
        """Wait for the whole body, and for its digest to fit; raises what is wrong with it."""
        with self.sending():
            while not self._has_ended:
                self._arrived.clear()
                await self._arrived.wait()
        self._check()

    async def wait(self) -> bool:
        """Wait for a line; False where none will come. Raises what is wrong with the body."""
        while not self._lines and not self._has_ended:
            self._arrived.clear()
            await self._arrived.wait()
        self._check()
        return bool(self._lines)

    def take(self, most: int) -> Sequence[RawLine]:
        """The next lines that are there. Raises what is wrong with the body."""
        self._check()
        taken = [self._lines.popleft() for _ in range(min(most, len(self._lines)))]
        self._waiting_bytes -= sum(len(raw.text) for raw in taken)
        self._make_room()
        return taken

    def _check(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def _make_room(self) -> None:
        has_room = len(self._lines) < AHEAD and self._waiting_bytes < AHEAD_BYTES
        if self._is_sending or has_room:
            self._room.set()
        else:
            self._room.clear()

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._within):
                await self._read_body()
        except GatewayError as error:
            self._trouble = error
        except TimeoutError:
            self._trouble = InvalidRequestError("The body did not arrive in time.")
        except ClientDisconnect:
            self.is_cut = True
            self._trouble = InvalidRequestError("The body did not arrive whole.")
        self._has_ended = True
        self._arrived.set()
        while (await self._request.receive())["type"] != "http.disconnect":
            pass  # more of a body that was refused
        self.is_cut = True

    async def _read_body(self) -> None:
        stream = self._request.stream()
        while True:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                chunk = await anext(stream, None)
            if chunk is None:
                break
            self._feed(chunk)
            await self._room.wait()
        self._add(self._splitter.finish())
        if self._declared is not None and not self._declared.fits(self._hashes):
            raise DigestMismatchError

    def _feed(self, chunk: bytes) -> None:
        self.received += len(chunk)
        for each in self._hashes.values():
            each.update(chunk)
        self._add(self._splitter.feed(chunk))
        self._make_room()
        self._arrived.set()

    def _add(self, lines: Iterable[RawLine]) -> None:
        for raw in lines:
            self._lines.append(raw)
            self._waiting_bytes += len(raw.text)
        self._check_size()

    def _check_size(self) -> None:
        if self.received > MAX_BYTES or self._splitter.lines > MAX_LINES:
            raise PayloadTooLargeError(
                f"A batch has at most {MAX_LINES} lines and {MAX_BYTES} bytes; send several."
            )
