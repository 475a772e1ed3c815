"""A Redis that is set wrongly, at start-up."""

from collections.abc import Iterator

import pytest
import redis

from gateway.cli.serve import check_limits
from gateway.limits.redis_store import RedisStore
from gateway.settings import SettingsError
from tests.servers.redis_server import RedisServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of its own, with a password."""
    with RedisServer(tcp=True) as made:
        with made.client() as client:
            client.config_set("requirepass", "hunter2")
        yield made


@pytest.mark.parametrize(
    ("scheme", "login", "database"),
    [
        ("redis", "", 0),
        ("redis", ":wrong@", 0),
        ("redis", ":hunter2@", 99),
        ("redis+cluster", ":hunter2@", 0),
    ],
)
async def test_what_waiting_does_not_mend_is_refused(
    server: RedisServer, scheme: str, login: str, database: int
) -> None:
    """Password, database, cluster; the sentence names the variable and no password."""
    store = RedisStore(f"{scheme}://{login}127.0.0.1:{server.port}/{database}")
    with pytest.raises(SettingsError, match="XINQIAO_REDIS_URL") as refused:
        await check_limits(store)
    assert "hunter2" not in str(refused.value)
    await store.close()


async def test_one_that_answers_or_cannot_be_reached_is_not(server: RedisServer) -> None:
    """It may come back by itself."""
    for address in (f":hunter2@127.0.0.1:{server.port}", "127.0.0.1:1"):
        store = RedisStore(f"redis://{address}/0")
        await check_limits(store)
        await store.close()


async def test_one_that_takes_no_writes_for_now_is_waited_for(server: RedisServer) -> None:
    """Its disk is full, or its replicas are away: calls are answered 503 meanwhile."""
    with redis.Redis(port=server.port, password="hunter2") as client:  # as above
        client.config_set("min-replicas-to-write", 1)
    store = RedisStore(f"redis://:hunter2@127.0.0.1:{server.port}/0")
    await check_limits(store)
    await store.close()
