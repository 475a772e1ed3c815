"""How to reach one Redis or a cluster: short timeouts, a bounded pool, no retries."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from gateway.limits.script import ADMIT, ADMIT_BESIDE, Arguments, Script, beside

CONNECT_TIMEOUT = 0.5  # seconds
ANSWER_TIMEOUT = 1.0
CONNECTIONS = 64  # per worker, and per node of a cluster

Reply = Any  # what Redis answered


class Link(Protocol):
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


class SingleLink:
    """One Redis: both in one script, so that no flush falls between them."""

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

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `Link`."""
        present, reply = await _run(self._redis, ADMIT_BESIDE, beside(arguments, key, fresh))
        return present, reply

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

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """See `Link`."""
        async with self._turn():
            asked: tuple[Awaitable[Reply], ...] = (
                self._set_or_get(key, fresh),
                _run(self._redis, ADMIT, arguments),
            )
            answers: list[Reply] = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        present, reply = answers
        return present, reply

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


async def _run(redis: "Redis | RedisCluster", script: Script, arguments: Arguments) -> Reply:
    """What `script` returns; a server that does not have it yet is sent it."""
    try:
        return await redis.execute_command("EVALSHA", script.digest, *arguments)
    except NoScriptError:
        return await redis.execute_command("EVAL", script.text, *arguments)


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": ANSWER_TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
    }
