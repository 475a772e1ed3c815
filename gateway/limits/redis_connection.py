"""Connections to one Redis or a cluster: short timeouts, a bounded pool, no retries."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast

from redis.asyncio import ConnectionPool, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from gateway.limits.lines_script import ADMIT_LINES
from gateway.limits.pipeline import CONCURRENCY, Pipeline, Reply
from gateway.limits.script import ADMIT, ADMIT_WITH_GENERATION, Arguments, Script, with_generation

CONNECT_TIMEOUT = 1.0  # seconds
ANSWER_TIMEOUT = 2.0
CONNECTIONS = 32  # per worker and node of a cluster; a new one costs several round trips

T = TypeVar("T")


class RedisConnection(Protocol):
    """The two commands that the store needs of Redis. They raise redis-py's errors."""

    async def set_or_get(self, key: str, fresh: str, seconds: int | None = None) -> str | None:
        """The value of `key`; `None` where there was none and `fresh` was set, for `seconds` if given."""
        ...

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """`set_or_get`, and the reply of the admission script, in one round trip."""
        ...

    async def admit_lines(self, arguments: Arguments) -> Reply:
        """The reply of the script that admits lines."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class SingleNodeConnection:
    """A single Redis: both commands in one script, so that no flush falls between them."""

    def __init__(self, url: str) -> None:
        options = _options() | {"socket_timeout": None}  # the pipeline bounds whole round trips
        pool = ConnectionPool.from_url(url, max_connections=CONCURRENCY, **options)
        self._pipeline = Pipeline(pool)

    async def set_or_get(self, key: str, fresh: str, seconds: int | None = None) -> str | None:
        """See `RedisConnection`."""
        term = () if seconds is None else ("EX", seconds)
        found = await self._pipeline.call("SET", key, fresh, "NX", "GET", *term)
        return cast("str | None", found)

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `RedisConnection`."""
        command = with_generation(arguments, key, fresh)
        present, reply = await _run(self._pipeline.call, ADMIT_WITH_GENERATION, command)
        return present, reply

    async def admit_lines(self, arguments: Arguments) -> Reply:
        """See `RedisConnection`."""
        return await _run(self._pipeline.call, ADMIT_LINES, arguments)

    async def close(self) -> None:
        """See `RedisConnection`."""
        await self._pipeline.close()


class ClusterConnection:
    """A Redis cluster: the two keys may live on two nodes, so both commands run concurrently.

    Work that has begun is finished when its caller hangs up: a cancelled command would break connections
    of others. After an error every node's connections are dropped, those in use when they are returned;
    redis-py itself reconnects to nodes that cannot be reached.
    """

    def __init__(self, url: str) -> None:
        # redis-py refuses at once when all connections are in use; here callers wait, up to their
        # deadline.
        self._turns = asyncio.Semaphore(CONNECTIONS // 2)
        self._redis = RedisCluster.from_url(url, max_connections=2 * CONNECTIONS, **_options())
        self._running: set[asyncio.Task[Any]] = set()

    async def set_or_get(self, key: str, fresh: str, seconds: int | None = None) -> str | None:
        """See `RedisConnection`."""
        return await self._shielded(lambda: self._set_or_get(key, fresh, seconds))

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `RedisConnection`."""
        return await self._shielded(lambda: self._admit(key, fresh, arguments))

    async def admit_lines(self, arguments: Arguments) -> Reply:
        """See `RedisConnection`."""
        return await self._shielded(
            lambda: _run(self._redis.execute_command, ADMIT_LINES, arguments)
        )

    async def _admit(self, key: str, fresh: str, arguments: Arguments) -> tuple[str | None, Reply]:
        commands: tuple[Awaitable[Reply], ...] = (
            self._set_or_get(key, fresh),
            _run(self._redis.execute_command, ADMIT, arguments),
        )
        answers: list[Reply] = await asyncio.gather(*commands, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        present, reply = answers
        return present, reply

    async def close(self) -> None:
        """See `RedisConnection`."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._redis.aclose()

    async def _shielded(self, work: Callable[[], Awaitable[T]]) -> T:
        await self._turns.acquire()
        task = asyncio.create_task(self._dropping(work))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def _dropping(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run `work`; after an error drop every connection."""
        try:
            return await work()
        except Exception:
            for node in self._redis.get_nodes():
                node.update_active_connections_for_reconnect()
                await node.disconnect_free_connections()
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._turns.release()
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved; the caller has it, if there still is one

    async def _set_or_get(self, key: str, fresh: str, seconds: int | None = None) -> str | None:
        found = await self._redis.set(key, fresh, nx=True, get=True, ex=seconds)
        return cast("str | None", found)


def connect_to(url: str) -> RedisConnection:
    """The connection for `url`, single or cluster."""
    scheme, separator, rest = url.partition("://")
    if scheme.endswith("+cluster"):
        return ClusterConnection(scheme.removesuffix("+cluster") + separator + rest)
    return SingleNodeConnection(url)


async def _run(
    call: Callable[..., Awaitable[Reply]], script: Script, arguments: Arguments
) -> Reply:
    """Run `script` by its digest, or by its text where the server does not have it."""
    try:
        return await call("EVALSHA", script.digest, *arguments)
    except NoScriptError:
        return await call("EVAL", script.text, *arguments)


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": ANSWER_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
