"""How to reach one Redis or a cluster: short timeouts, a bounded pool, no retries."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar, cast

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from gateway.limits.pipeline import LANES, Pipeline, Reply
from gateway.limits.script import ADMIT, ADMIT_BESIDE, Arguments, Script, beside

CONNECT_TIMEOUT = 1.0  # seconds
ANSWER_TIMEOUT = 2.0
CONNECTIONS = 32  # per worker and node of a cluster; a new one costs several round trips

T = TypeVar("T")


class RedisConnection(Protocol):
    """The two things that the store asks of Redis. They raise what redis-py raises."""

    async def set_or_get(self, key: str, fresh: str) -> str | None:
        """The value of `key`; None where there was none and `fresh` was set."""
        ...

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """The same, and what the script of admissions says, in the same round trip."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class SingleNodeConnection:
    """One Redis: both in one script, so that no flush falls between them."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, max_connections=LANES, **_options())
        self._lanes = Pipeline(self._redis)

    async def set_or_get(self, key: str, fresh: str) -> str | None:
        """See `RedisConnection`."""
        return cast("str | None", await self._lanes.call("SET", key, fresh, "NX", "GET", get=True))

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `RedisConnection`."""
        present, reply = await _run(self._lanes.call, ADMIT_BESIDE, beside(arguments, key, fresh))
        return present, reply

    async def close(self) -> None:
        """See `RedisConnection`."""
        await self._lanes.close()
        await self._redis.aclose()


class ClusterConnection:
    """A cluster: the two keys may live on two nodes, so they are asked side by side.

    Work that has begun goes on when its caller hangs up: cut off in the middle, it would take its
    neighbours' connections with it. After an error that is not expected every node's connections are
    dropped, those in use when they are given back; redis-py itself sees to nodes that are not reached.
    """

    def __init__(self, url: str) -> None:
        # redis-py refuses at once when all connections are taken; here callers wait their turn,
        # as long as their deadline lets them.
        self._turns = asyncio.Semaphore(CONNECTIONS // 2)
        self._redis = RedisCluster.from_url(url, max_connections=2 * CONNECTIONS, **_options())
        self._running: set[asyncio.Task[Any]] = set()

    async def set_or_get(self, key: str, fresh: str) -> str | None:
        """See `RedisConnection`."""
        return await self._undisturbed(lambda: self._set_or_get(key, fresh))

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `RedisConnection`."""
        return await self._undisturbed(lambda: self._beside(key, fresh, arguments))

    async def _beside(self, key: str, fresh: str, arguments: Arguments) -> tuple[str | None, Reply]:
        asked: tuple[Awaitable[Reply], ...] = (
            self._set_or_get(key, fresh),
            _run(self._redis.execute_command, ADMIT, arguments),
        )
        answers: list[Reply] = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        present, reply = answers
        return present, reply

    async def close(self) -> None:
        """See `RedisConnection`."""
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._redis.aclose()

    async def _undisturbed(self, work: Callable[[], Awaitable[T]]) -> T:
        await self._turns.acquire()
        task = asyncio.create_task(self._dropping(work))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def _dropping(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do `work`; where that fails, the next call finds no connection of before."""
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
            task.exception()  # told to the caller, if there still is one

    async def _set_or_get(self, key: str, fresh: str) -> str | None:
        return cast("str | None", await self._redis.set(key, fresh, nx=True, get=True))


def link_to(url: str) -> RedisConnection:
    """The link for `url`."""
    scheme, separator, rest = url.partition("://")
    if scheme.endswith("+cluster"):
        return ClusterConnection(scheme.removesuffix("+cluster") + separator + rest)
    return SingleNodeConnection(url)


async def _run(
    call: Callable[..., Awaitable[Reply]], script: Script, arguments: Arguments
) -> Reply:
    """What `script` returns; a server that does not have it yet is sent it."""
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
