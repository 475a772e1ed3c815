"""How to reach one Redis or a cluster: short timeouts, a bounded pool, no retries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_TIMEOUT = 0.5  # seconds
ANSWER_TIMEOUT = 1.0
CONNECTIONS = 64  # per worker, and per node of a cluster

Reply = Any  # what Redis answered, or the exception that it answered with


class Link(Protocol):
    """The two things that the store asks of Redis. They raise what redis-py raises."""

    async def set_or_get(self, key: str, fresh: str) -> str | None:
        """The value of `key`; None where there was none and `fresh` was set."""
        ...

    async def set_or_get_beside(
        self,
        key: str,
        fresh: str,
        command: tuple[str | int, ...],
    ) -> tuple[Reply, Reply]:
        """The same, with a command of another slot in the same round trip."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class SingleLink:
    """One Redis: both commands in one transaction, so that no flush falls between them."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=CONNECT_TIMEOUT,
            **_options(),
        )
        self._redis = Redis.from_pool(pool)

    async def set_or_get(self, key: str, fresh: str) -> str | None:
        """See `Link`."""
        return cast("str | None", await self._redis.set(key, fresh, nx=True, get=True))

    async def set_or_get_beside(
        self,
        key: str,
        fresh: str,
        command: tuple[str | int, ...],
    ) -> tuple[Reply, Reply]:
        """See `Link`."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, fresh, nx=True, get=True)
            pipe.execute_command(*command)
            answers: list[Reply] = await pipe.execute(raise_on_error=False)
        return answers[0], answers[1]

    async def close(self) -> None:
        """See `Link`."""
        await self._redis.aclose()


class ClusterLink:
    """A cluster: the two keys may live on two nodes, so they are asked side by side."""

    def __init__(self, url: str) -> None:
        # redis-py refuses at once when all connections are taken; here callers wait their turn.
        self._turns = asyncio.Semaphore(CONNECTIONS // 2)
        self._redis = RedisCluster.from_url(url, max_connections=2 * CONNECTIONS, **_options())

    async def set_or_get(self, key: str, fresh: str) -> str | None:
        """See `Link`."""
        async with self._turn():
            return await self._set_or_get(key, fresh)

    async def set_or_get_beside(
        self,
        key: str,
        fresh: str,
        command: tuple[str | int, ...],
    ) -> tuple[Reply, Reply]:
        """See `Link`."""
        async with self._turn():
            asked: tuple[Awaitable[Reply], ...] = (
                self._set_or_get(key, fresh),
                self._redis.execute_command(*command),
            )
            answers = await asyncio.gather(*asked, return_exceptions=True)
        return answers[0], answers[1]

    async def close(self) -> None:
        """See `Link`."""
        await self._redis.aclose()

    async def _set_or_get(self, key: str, fresh: str) -> str | None:
        return cast("str | None", await self._redis.set(key, fresh, nx=True, get=True))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()


def link_to(url: str) -> Link:
    """The link for `url`."""
    scheme, separator, rest = url.partition("://")
    if scheme.endswith("+cluster"):
        return ClusterLink(scheme.removesuffix("+cluster") + separator + rest)
    return SingleLink(url)


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": ANSWER_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
