"""Redis stopped, frozen, full or emptied: the limiter fails closed and recovers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from gateway.limits.model import Admission, Admitted, Counter, Replay, StaleGeneration, Verdict
from gateway.limits.redis_store import DEADLINE, RedisStore
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.servers.redis_server import RedisServer, patient_store
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module", params=["single", "cluster"])
def patient(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A Redis server for this module."""
    with RedisServer(cluster=request.param == "cluster") as made:
        yield made


@pytest.fixture
def server(patient: RedisServer) -> RedisServer:
    """The running server."""
    if not patient.running:
        patient.start()
    return patient


@pytest_asyncio.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    """A worker's store on it."""
    made = RedisStore(server.url)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def unhurried(server: RedisServer) -> AsyncIterator[RedisStore]:
    """A worker's store with long timeouts: Redis is up, and only the machine may be busy."""
    made = patient_store(server.url)
    yield made
    await made.close()


def make_call(quota: int = 1000, *, tag: str | None = None, jti: str | None = None) -> Admission:
    """A call with a quota that identifies it."""
    counter = Counter(name="client", key="k", quota=quota, window=86_400)
    return Admission(
        tag=tag or uuid4().hex,
        generation=None,
        replay=Replay(key=jti or uuid4().hex, ttl=60),
        counters=(counter,),
    )


async def outcome_of(store: RedisStore, call: Admission) -> Verdict | LimiterUnavailableError:
    """The decision, or `LimiterUnavailable`."""
    try:
        return await store.admit(call)
    except LimiterUnavailableError as error:
        return error


async def wait_until_recovered(store: RedisStore) -> Verdict:
    """First decision after an outage."""

    async def verdict() -> Verdict | None:
        outcome = await outcome_of(store, make_call())
        return None if isinstance(outcome, LimiterUnavailableError) else outcome

    found = await eventually(verdict)
    assert found is not None
    return found


async def test_a_stopped_redis_closes_and_recovers(
    server: RedisServer,
    store: RedisStore,
) -> None:
    """After the restart, empty, the old generation is stale."""
    before = await store.admit(make_call())
    server.stop()
    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(*(outcome_of(store, make_call()) for _ in range(100)))
    assert all(isinstance(outcome, LimiterUnavailableError) for outcome in outcomes)
    with pytest.raises(LimiterUnavailableError):
        await store.generation()
    server.start()
    assert isinstance(await wait_until_recovered(store), Admitted)
    old = Admission(tag="t", generation=before.generation)
    assert isinstance(await store.admit(old), StaleGeneration)


async def test_a_frozen_redis_closes_and_recovers(
    server: RedisServer,
    store: RedisStore,
) -> None:
    """Connections are accepted without an answer: calls time out after seconds."""
    assert DEADLINE < 5
    await store.admit(make_call())
    os.kill(server.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE):
            outcomes = await asyncio.gather(*(outcome_of(store, make_call()) for _ in range(100)))
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert all(isinstance(outcome, LimiterUnavailableError) for outcome in outcomes)
    assert isinstance(await wait_until_recovered(store), Admitted)


async def test_a_redis_killed_under_load_gives_verdicts_or_the_one_error(
    server: RedisServer,
    store: RedisStore,
) -> None:
    """At any moment of the kill."""

    async def last_outcome() -> Verdict | LimiterUnavailableError:
        while isinstance(outcome := await outcome_of(store, make_call()), Admitted):
            pass
        return outcome

    callers = [asyncio.create_task(last_outcome()) for _ in range(40)]
    await asyncio.sleep(0.2)
    server.stop()
    outcomes = await asyncio.gather(*callers)
    assert all(isinstance(outcome, LimiterUnavailableError) for outcome in outcomes)


async def test_a_redis_that_was_never_started_fails_closed_without_its_url_in_the_error() -> None:
    """Neither the error nor its cause has the URL, which may hold a password."""
    store = RedisStore("redis://:hunter2@127.0.0.1:1/0")
    with pytest.raises(LimiterUnavailableError) as raised:
        await store.admit(make_call())
    assert "hunter2" not in repr(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    await store.close()


async def test_a_full_redis_admits_no_call(server: RedisServer, unhurried: RedisStore) -> None:
    """Admission resumes once there is memory."""
    await unhurried.admit(make_call())
    with server.client() as client:
        client.config_set("maxmemory", 1)
        with pytest.raises(LimiterUnavailableError):
            await unhurried.admit(make_call())
        client.config_set("maxmemory", 0)
    assert isinstance(await unhurried.admit(make_call()), Admitted)


async def test_a_redis_that_forgot_the_script_counts_once(
    server: RedisServer,
    unhurried: RedisStore,
) -> None:
    """The script is loaded again and charges once."""
    tag = uuid4().hex
    for left in (9, 8, 7):
        with server.client() as client:
            client.script_flush()
        verdict = await unhurried.admit(make_call(10, tag=tag))
        assert isinstance(verdict, Admitted)
        assert verdict.states[0].remaining == left


async def test_a_cancelled_call_never_leaves_its_answer_to_another(unhurried: RedisStore) -> None:
    """Later calls get their own answers."""
    for turn in range(10):
        doomed = [asyncio.create_task(unhurried.admit(make_call(500_000))) for _ in range(40)]
        await asyncio.sleep(turn * 0.0005)
        for task in doomed:
            task.cancel()
        quotas = range(1, 41)
        verdicts = await asyncio.gather(*(unhurried.admit(make_call(quota)) for quota in quotas))
        await asyncio.gather(*doomed, return_exceptions=True)
        assert [v.states[0].quota for v in verdicts if isinstance(v, Admitted)] == [*quotas]
        assert [v.states[0].remaining for v in verdicts if isinstance(v, Admitted)] == [
            quota - 1 for quota in quotas
        ]


async def test_two_workers_share_their_counters(server: RedisServer, unhurried: RedisStore) -> None:
    """Together they admit one quota, and one use of each proof."""
    other, tag = patient_store(server.url), uuid4().hex
    calls = (
        worker.admit(make_call(50, tag=tag)) for worker in (unhurried, other) for _ in range(100)
    )
    verdicts = await asyncio.gather(*calls)
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 50
    twice = await asyncio.gather(
        *(w.admit(make_call(tag="t", jti="one")) for w in (unhurried, other))
    )
    assert sum(isinstance(verdict, Admitted) for verdict in twice) == 1
    await other.close()
