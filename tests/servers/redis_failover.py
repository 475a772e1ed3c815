"""Failover proxy for Redis: existing connections get an error for every command.

New connections reach the real Redis, as they would reach the new primary behind an address or a name.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Self

from redis.asyncio.connection import parse_url


@dataclass(slots=True, kw_only=True)
class _Connection:
    """One client connection: forwarded, until it answers `error` to each command."""

    error: bytes | None = None


@dataclass(slots=True, kw_only=True)
class FailoverProxy:
    """Proxy on a port of its own that forwards the commands of a Redis server."""

    host: str
    server_port: int
    port: int = 0
    opened: int = 0
    """How many connections there have been."""
    _open: list[_Connection] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @classmethod
    async def before(cls, url: str) -> Self:
        """A listening proxy for the server at `url`."""
        where = parse_url(url)
        made = cls(host=where["host"], server_port=where["port"])
        made._server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
        made.port = made._server.sockets[0].getsockname()[1]
        return made

    def fail_over(self, error: str) -> None:
        """Answer this error line to each command on all open connections."""
        for each in self._open:
            each.error = f"-{error}\r\n".encode()

    async def close(self) -> None:
        """Stop listening and close all connections."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = _Connection()
        self.opened += 1
        self._open.append(this)
        there = await asyncio.open_connection(self.host, self.server_port)
        pumping = [
            asyncio.create_task(_commands(reader, there[1], writer, this)),
            asyncio.create_task(_answers(there[0], writer)),
        ]
        self._tasks.update(pumping)
        await asyncio.wait(pumping, return_when=asyncio.FIRST_COMPLETED)
        for task in pumping:
            task.cancel()
        await asyncio.gather(*pumping, return_exceptions=True)
        self._tasks.difference_update(pumping)
        writer.close()
        there[1].close()


async def _commands(
    reader: asyncio.StreamReader,
    there: asyncio.StreamWriter,
    back: asyncio.StreamWriter,
    connection: _Connection,
) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            command = await _command(reader)
            if connection.error is None:
                there.write(command)
                await there.drain()
            else:
                back.write(connection.error)
                await back.drain()


async def _answers(there: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while some := await there.read(65_536):
            back.write(some)
            await back.drain()


async def _command(reader: asyncio.StreamReader) -> bytes:
    """One RESP command: an array of bulk strings."""
    head = await reader.readuntil(b"\r\n")
    parts = [head]
    for _ in range(int(head[1:])):
        length = await reader.readuntil(b"\r\n")
        parts += [length, await reader.readexactly(int(length[1:]) + 2)]
    return b"".join(parts)
