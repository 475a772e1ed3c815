"""Connection to a Redis cluster: commands for one node are batched as for a single Redis.

The layout (CLUSTER SLOTS) is read at the first use, and again after any error but a missing script.
With redis-py's own cluster client connections that are in use break whenever it reads the layout: under
load one error leads to the next.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool
from redis.crc import key_slot
from redis.exceptions import AskError, ClusterDownError, MovedError, NoScriptError

from gateway.limits.pipeline import CONCURRENCY, Pipeline, Reply
from gateway.limits.script import ADMIT, Arguments, Script, run_script

REDIRECTIONS: Final = 3
DEFAULT_PORT: Final = 6379

Address = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLayout:
    """Layout of a cluster: the slots of each primary, and every node."""

    starts: tuple[int, ...]
    ranges: tuple[tuple[int, Address], ...]
    """The last slot of each range and its primary, in the order of `starts`."""
    nodes: tuple[Address, ...]

    @classmethod
    def from_reply(cls, reply: Sequence[Any], asked: Address) -> Self:
        """The layout in an answer to CLUSTER SLOTS; a node without a host is at the one asked."""
        found = [
            (first, last, [(str(node[0] or asked[0]), int(node[1])) for node in nodes])
            for first, last, *nodes in sorted(reply, key=lambda each: int(each[0]))
        ]
        return cls(
            starts=tuple(first for first, _, _ in found),
            ranges=tuple((last, nodes[0]) for _, last, nodes in found),
            nodes=tuple(dict.fromkeys(node for _, _, nodes in found for node in nodes)),
        )

    def primary_of(self, slot: int) -> Address:
        """The primary that has a slot; raises `ClusterDownError` where none has."""
        place = bisect_right(self.starts, slot) - 1
        if place < 0 or slot > self.ranges[place][0]:
            raise ClusterDownError(f"slot {slot} is not covered")
        return self.ranges[place][1]


class ClusterConnection:
    """A Redis cluster: the generation and a client's keys may live on two nodes, asked concurrently."""

    spans_slots: Final = False

    def __init__(self, url: str, **options: Any) -> None:
        """`url` names one node, or a name that leads to several; the others are found there."""
        parts = urlsplit(url)
        self._url, self._options = parts, options
        self._first: Address = (parts.hostname or "localhost", parts.port or DEFAULT_PORT)
        self._pipelines: dict[Address, Pipeline] = {}
        self._layout: ClusterLayout | None = None
        self._reading: asyncio.Task[ClusterLayout] | None = None
        self._nodes: tuple[Address, ...] = (self._first,)
        """Where the layout is asked for, in this order; the one that failed last comes last."""

    async def set_or_get(self, key: str, fresh: str, seconds: int | None = None) -> str | None:
        """See `RedisConnection`."""
        term = () if seconds is None else ("EX", seconds)
        found = await self._call(key, "SET", key, fresh, "NX", "GET", *term)
        return cast("str | None", found)

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `RedisConnection`."""
        present, reply = await asyncio.gather(
            self.set_or_get(key, fresh), self.run(ADMIT, arguments)
        )
        return present, reply

    async def run(self, script: Script, arguments: Arguments) -> Reply:
        """See `RedisConnection`."""
        first_key = f"{arguments[1]}"
        return await run_script(partial(self._call, first_key), script, arguments)

    async def close(self) -> None:
        """See `RedisConnection`."""
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        await asyncio.gather(*(each.close() for each in self._pipelines.values()))

    async def _call(self, key: str, *command: str | int) -> Reply:
        """The answer to a command by the node that has `key`, redirections followed."""
        layout = self._layout or await self._read_layout()
        address = layout.primary_of(key_slot(key.encode()))
        for _ in range(REDIRECTIONS):
            try:
                return await self._pipeline(address).call(*command)
            except NoScriptError:
                raise
            except MovedError as moved:
                self._layout = None
                address = (moved.host or address[0], moved.port)
            except AskError as asked:
                return await self._ask((asked.host or address[0], asked.port), *command)
            except Exception:
                self._suspect(address)
                raise
        raise ClusterDownError("redirected too often")

    async def _ask(self, address: Address, *command: str | int) -> Reply:
        """A command for a slot on its way to another node; without ASKING before it, it is refused."""
        pipeline = self._pipeline(address)
        _, reply = await asyncio.gather(pipeline.call("ASKING"), pipeline.call(*command))
        return reply

    def _suspect(self, address: Address) -> None:
        """Read the layout before the next call, from this node last."""
        self._layout = None
        self._nodes = (*(each for each in self._nodes if each != address), address)

    async def _read_layout(self) -> ClusterLayout:
        """The present layout; calls that need it together read it once."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._ask_nodes())
            self._reading.add_done_callback(self._finish_reading)
        return await asyncio.shield(self._reading)

    def _finish_reading(self, reading: asyncio.Task[ClusterLayout]) -> None:
        self._reading = None
        if not reading.cancelled() and reading.exception() is None:
            self._layout = reading.result()
            self._nodes = tuple(dict.fromkeys((*self._layout.nodes, self._first)))

    async def _ask_nodes(self) -> ClusterLayout:
        """The layout by the first node that knows one; raises the last error."""
        failure: Exception = ClusterDownError("no node was asked")
        for address in self._nodes:
            try:
                reply = await self._pipeline(address).call("CLUSTER", "SLOTS")
                return ClusterLayout.from_reply(reply, address)
            except Exception as error:  # noqa: BLE001  # the next node may answer
                failure = error
        raise failure

    def _pipeline(self, address: Address) -> Pipeline:
        known = self._pipelines.get(address)
        if known is None:
            host, port = address
            user = self._url.netloc.rpartition("@")[0]
            netloc = f"{user}@" * bool(user) + f"{f'[{host}]' if ':' in host else host}:{port}"
            url = self._url._replace(netloc=netloc).geturl()
            pool = ConnectionPool.from_url(url, max_connections=CONCURRENCY, **self._options)
            known = self._pipelines[address] = Pipeline(pool)
        return known
