"""Redis failover: after any connection error the next call reconnects and is counted."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Final
from uuid import uuid4

import pytest
import pytest_asyncio
from redis.crc import key_slot
from redis.exceptions import RedisError

from gateway.limits.model import Admission, Admitted, Counter, Verdict
from gateway.limits.redis_store import RedisStore
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.servers.redis_failover import FailoverProxy
from tests.servers.redis_server import RedisServer, patient_store, redis_cluster, wait_for
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

CROWD: Final = 8
# As Redis 7 words them.
ERRORS: Final = {
    "read-only": "READONLY You can't write against a read only replica.",
    "in-script": "READONLY You can't write against a read only replica. script: 5f2a, on @user_script:1.",
    "loading": "LOADING Redis is loading the dataset in memory",
    "masterdown": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    "misconf": "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist",
    "out-of-memory": "OOM command not allowed when used memory > 'maxmemory'.",
    "no-replicas": "NOREPLICAS Not enough good replicas to write.",
    "busy": "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "clusterdown": "CLUSTERDOWN The cluster is down",
    "tryagain": "TRYAGAIN Multiple keys request during rehashing of slot",
    "moved": "MOVED 0 127.0.0.1:{port}",  # to itself, over and over
    "no-auth": "NOAUTH Authentication required.",
    "no-permission": "NOPERM User default has no permissions to run the 'evalsha' command",
    "another": "ERR something that nobody has seen yet",
}


def make_call(quota: int = 10) -> Admission:
    """A call of a new client."""
    counter = Counter(name="client", key="k", quota=quota, window=86_400)
    return Admission(tag=uuid4().hex, generation=None, counters=(counter,))


async def outcome_of(store: RedisStore, call: Admission) -> Verdict | LimiterUnavailableError:
    """The decision, or `LimiterUnavailable`."""
    try:
        return await store.admit(call)
    except LimiterUnavailableError as error:
        return error


async def are_counted(store: RedisStore, calls: Sequence[Admission]) -> bool:
    """True if all calls are admitted."""
    return all([isinstance(await store.admit(call), Admitted) for call in calls])


async def admitted_again(store: RedisStore, calls: Sequence[Admission]) -> None:
    """Wait until each of these calls is admitted."""
    async with asyncio.timeout(60):
        for call in calls:
            while isinstance(await outcome_of(store, call), LimiterUnavailableError):
                pass


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["single", "cluster"])
async def proxied_url(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, FailoverProxy]]:
    """The proxy and its URL, of one Redis or a cluster."""
    async with AsyncExitStack() as stack:
        cluster = request.param == "cluster"
        server = stack.enter_context(RedisServer(cluster=cluster, tcp=True))
        proxy = await FailoverProxy.before(server.plain_url)
        stack.push_async_callback(proxy.close)
        if cluster:
            with server.client() as client:
                client.config_set("cluster-announce-port", proxy.port)
        yield f"redis{'+cluster' * cluster}://127.0.0.1:{proxy.port}", proxy


@pytest_asyncio.fixture(loop_scope="module")
async def proxied_store(
    proxied_url: tuple[str, FailoverProxy],
) -> AsyncIterator[tuple[RedisStore, FailoverProxy]]:
    """A new store behind the proxy: its pool has no connection that an earlier test has dropped."""
    url, proxy = proxied_url
    store = patient_store(url)
    yield store, proxy
    await store.close()


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
async def test_after_any_error_the_next_call_has_a_new_connection(
    proxied_store: tuple[RedisStore, FailoverProxy], error: str
) -> None:
    """Concurrent calls fail or are counted; afterwards all are counted."""
    store, proxy = proxied_store
    assert isinstance(await store.admit(make_call()), Admitted)
    opened, line = proxy.opened, error.format(port=proxy.port)
    proxy.fail_over(line)
    first = await outcome_of(store, make_call())
    assert (
        isinstance(first, LimiterUnavailableError) or "MOVED" in error
    )  # which redis-py may follow
    for _ in range(3):
        assert isinstance(await store.admit(make_call()), Admitted)
    assert proxy.opened > opened
    crowd = [make_call() for _ in range(CROWD)]
    assert await are_counted(store, crowd)
    proxy.fail_over(line)
    await asyncio.gather(*(outcome_of(store, call) for call in crowd))
    assert await are_counted(store, crowd)


REAL: Final = {  # how it comes to that, and how it is over
    "readonly": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "no-replicas": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
    "masterdown": (
        "CONFIG SET replica-serve-stale-data no\nREPLICAOF 127.0.0.1 1",
        "REPLICAOF NO ONE\nCONFIG SET replica-serve-stale-data yes",
    ),
}


async def test_a_primary_that_becomes_a_replica_and_back_is_followed() -> None:
    """READONLY, NOREPLICAS and MASTERDOWN: unavailable until it is primary again."""
    with RedisServer(tcp=True) as server, server.client() as direct:
        store = patient_store(server.url)
        for bad, good in REAL.values():
            assert isinstance(await store.admit(make_call()), Admitted)
            for command in bad.splitlines():
                direct.execute_command(*command.split())
            assert isinstance(await outcome_of(store, make_call()), LimiterUnavailableError)
            with pytest.raises(LimiterUnavailableError):
                await store.generation()
            for command in good.splitlines():
                direct.execute_command(*command.split())
            assert isinstance(await store.admit(make_call()), Admitted)
        await store.close()


# A cluster of three, and a replica


@pytest.fixture
def cluster() -> Iterator[list[RedisServer]]:
    """Three primaries, and a replica of the first."""
    with redis_cluster(replicas=1) as nodes:
        yield nodes


async def test_a_cluster_is_followed_through_its_failovers(cluster: list[RedisServer]) -> None:
    """A manual failover, then a killed primary; counting resumes by itself."""
    store = RedisStore(cluster[0].url)
    calls = [make_call(quota=1_000) for _ in range(3 * CROWD)]
    await admitted_again(store, calls)
    assert await are_counted(store, calls)
    with cluster[3].client() as second:
        second.cluster("FAILOVER")
        wait_for(lambda: second.info("replication")["role"] == "master")
    await admitted_again(store, calls)
    assert await are_counted(store, calls)
    with cluster[0].client() as first:
        wait_for(lambda: first.info("replication").get("master_link_status") == "up")
        cluster[3].stop()
        await asyncio.gather(*(outcome_of(store, call) for call in calls))
        with suppress(RedisError):
            first.cluster("FAILOVER", "TAKEOVER")
        wait_for(lambda: first.info("replication")["role"] == "master")
    await admitted_again(store, calls)
    assert await are_counted(store, calls)
    await store.close()


async def test_a_cluster_that_fails_over_under_load_serves_again_while_the_load_goes_on(
    cluster: list[RedisServer],
) -> None:
    """Calls of every moment either count or fail; once the replica has taken over, all of them count."""
    store = patient_store(cluster[0].url)
    load = [make_call(quota=100_000) for _ in range(4 * CROWD)]
    assert await are_counted(store, load)
    with cluster[3].client() as second:
        cluster[0].stop()
        await asyncio.gather(*(outcome_of(store, call) for call in load))
        with suppress(RedisError):
            second.cluster("FAILOVER", "TAKEOVER")
        wait_for(lambda: second.info("replication")["role"] == "master")
    async with asyncio.timeout(PATIENCE):
        while not all(
            isinstance(each, Admitted)
            for each in await asyncio.gather(*(outcome_of(store, call) for call in load))
        ):
            pass
    for _ in range(3):
        outcomes = await asyncio.gather(*(outcome_of(store, call) for call in load))
        assert all(isinstance(each, Admitted) for each in outcomes)
    await store.close()


async def test_a_slot_that_moves_to_another_node_is_followed(cluster: list[RedisServer]) -> None:
    """By MOVED, in a crowd: nothing is refused, and nothing is counted twice."""
    store = patient_store(cluster[0].url)
    call = make_call(quota=1_000)
    assert isinstance(await store.admit(call), Admitted)
    slot = key_slot(f"{{{call.tag}}}".encode())
    owner = slot // 5462
    with cluster[owner].client() as here, cluster[(owner + 1) % 3].client() as there:
        for key in here.cluster("GETKEYSINSLOT", slot, 100):
            here.delete(key)
        for each in (there, here):
            each.cluster("SETSLOT", slot, "NODE", there.cluster("MYID"))
    crowd = [call] * 50
    verdicts = await asyncio.gather(*(store.admit(each) for each in crowd))
    assert all(isinstance(each, Admitted) for each in verdicts)
    assert min(each.states[0].remaining for each in verdicts if isinstance(each, Admitted)) == 950
    await store.close()
