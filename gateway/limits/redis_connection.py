"""Connections to one Redis or a cluster: short timeouts, a bounded pool, no retries."""

from typing import Any, Final, Protocol, cast

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.limits.cluster import ClusterConnection
from gateway.limits.pipeline import CONCURRENCY, Pipeline, Reply
from gateway.limits.script import (
    ADMIT_WITH_GENERATION,
    Arguments,
    Script,
    run_script,
    with_generation,
)

CONNECT_TIMEOUT = 1.0  # seconds


class RedisConnection(Protocol):
    """The commands that the store needs of Redis. They raise redis-py's errors."""

    @property
    def spans_slots(self) -> bool:
        """True if the keys of a script may have several hash tags."""
        ...

    async def set_or_get(self, key: str, fresh: str, seconds: int | None = None) -> str | None:
        """The value of `key`; `None` where there was none and `fresh` was set, for `seconds` if given."""
        ...

    async def admit_beside(
        self, key: str, fresh: str, arguments: Arguments
    ) -> tuple[str | None, Reply]:
        """`set_or_get`, and the reply of the admission script, in one round trip."""
        ...

    async def run(self, script: Script, arguments: Arguments) -> Reply:
        """The reply of a script whose keys share a slot."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class SingleNodeConnection:
    """A single Redis: both commands in one script, so that no flush falls between them."""

    spans_slots: Final = True

    def __init__(self, url: str) -> None:
        pool = ConnectionPool.from_url(url, max_connections=CONCURRENCY, **_options())
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
        present, reply = await run_script(self._pipeline.call, ADMIT_WITH_GENERATION, command)
        return present, reply

    async def run(self, script: Script, arguments: Arguments) -> Reply:
        """See `RedisConnection`."""
        return await run_script(self._pipeline.call, script, arguments)

    async def close(self) -> None:
        """See `RedisConnection`."""
        await self._pipeline.close()


def connect_to(url: str) -> RedisConnection:
    """The connection for `url`, single or cluster."""
    scheme, separator, rest = url.partition("://")
    if scheme.endswith("+cluster"):
        return ClusterConnection(scheme.removesuffix("+cluster") + separator + rest, **_options())
    return SingleNodeConnection(url)


def _options() -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": CONNECT_TIMEOUT,
        "socket_timeout": None,  # the pipeline bounds whole round trips
        "retry": Retry(NoBackoff(), 0),
    }
