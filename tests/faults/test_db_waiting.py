"""Timeouts on locks, connections and the pool's queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final

import httpx2
import orjson
import pytest
import pytest_asyncio
from alembic import command
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.batches import LARGEST_SET, SETS_UNDER_WAY
from gateway.db.engine import make_engine
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.db.waiting import MAX_WAITING_PER_CONNECTION
from gateway.disclosure.commit import DISCLOSE
from gateway.migrations.run import TableInUseError, alembic_config, upgrade
from tests.databases import new_database
from tests.gateway_fixture import UNKNOWN, GatewayFixture, in_process, verification_body
from tests.log_builders import make_checkpoint_folder
from tests.records_builders import create, lines, make_department
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT: Final = 3  # seconds for a call
LONG: Final = LIMIT + 3.0
CEILING: Final = 30.0  # seconds; 16 callers on 4 connections used to wait for 40
CALLERS: Final = 16

Call = Callable[[], Coroutine[Any, Any, httpx2.Response]]


@asynccontextmanager
async def limited(
    gateway: GatewayFixture, *, seconds: int, pool: int
) -> AsyncIterator[GatewayFixture]:
    """The gateway with this call timeout and pool size."""
    changed = {"request_timeout": seconds, "database_pool": pool}
    settings = gateway.settings.model_copy(update=changed)
    async with in_process(settings, gateway.clock) as (app, http):
        yield replace(gateway, app=app, settings=settings, http=http)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_url(postgres_url: str) -> str:
    """A database for this module."""
    return await new_database(postgres_url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hurried(
    gateway: GatewayFixture, own_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayFixture]:
    """A gateway with a short timeout and four connections."""
    folder = make_checkpoint_folder(tmp_path_factory.mktemp("waiting"))
    own = gateway.settings.model_copy(
        update={"database_url": own_url, "log_checkpoints": (folder,)}
    )
    async with limited(replace(gateway, settings=own), seconds=LIMIT, pool=4) as made:
        yield made


@pytest_asyncio.fixture
async def beside(own_url: str) -> AsyncIterator[AsyncEngine]:
    """A database session beside the gateway's, for locks."""
    engine = make_engine(own_url, pool_size=1, statement_timeout=0)
    yield engine
    await engine.dispose()


@asynccontextmanager
async def locked(engine: AsyncEngine, table: str) -> AsyncIterator[None]:
    """Lock a table exclusively inside the block."""
    async with engine.begin() as connection:
        await connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield


async def verifications(gateway: GatewayFixture, callers: int) -> list[Call]:
    """Concurrent verifications, each with its own proof."""
    bank = await gateway.client()
    sent = orjson.dumps(verification_body(UNKNOWN, "is_active.v1"))
    path = "/v1/verifications"
    headers = [await bank.headers("POST", path, sent) for _ in range(callers)]
    return [partial(gateway.http.post, path, content=sent, headers=each) for each in headers]


async def pages(gateway: GatewayFixture, callers: int) -> list[Call]:
    """Concurrent page requests, on the engine's pool."""
    cookie = {"Cookie": "xinqiao=not-a-session"}
    return [lambda: gateway.http.get("/portal", headers=cookie)] * callers


TABLES: Final[Mapping[str, Callable[[GatewayFixture, int], Awaitable[list[Call]]]]] = {
    "enterprise": verifications,
    "session": pages,
}


def assert_unavailable(answer: httpx2.Response) -> None:
    """Assert 503 with Retry-After."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("table", TABLES)
async def test_a_crowd_behind_one_lock_is_answered_while_it_is_held(
    hurried: GatewayFixture, beside: AsyncEngine, table: str
) -> None:
    """Each call times out by itself, and no session of the server keeps waiting."""
    calls = await TABLES[table](hurried, CALLERS)

    async def none_waits() -> bool:
        """True if no session of the gateway waits for the lock."""
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND application_name LIKE 'xinqiao%'"
        )
        async with beside.connect() as connection:
            return bool((await connection.execute(waiting)).scalar_one() == 0)

    async with locked(beside, table):
        async with asyncio.timeout(CEILING):
            for answer in await asyncio.gather(*(call() for call in calls)):
                assert_unavailable(answer)
        await eventually(none_waits)
    [again] = await TABLES[table](hurried, 1)
    assert (await again()).status_code < 500


@pytest.mark.parametrize("table", TABLES)
async def test_a_call_behind_a_full_queue_is_refused_at_once(
    hurried: GatewayFixture, beside: AsyncEngine, table: str
) -> None:
    """Queues are bounded by the pool size; further calls are refused at once."""
    beyond = 5
    under_way_at_most = SETS_UNDER_WAY * LARGEST_SET
    async with AsyncExitStack() as stack:
        few = await stack.enter_async_context(limited(hurried, seconds=120, pool=1))
        calls = await TABLES[table](few, under_way_at_most + MAX_WAITING_PER_CONNECTION + beyond)
        lock = await stack.enter_async_context(AsyncExitStack())
        await lock.enter_async_context(locked(beside, table))
        under_way = {asyncio.create_task(call()) for call in calls}
        first: list[httpx2.Response] = []
        while len(first) < beyond:
            done, under_way = await asyncio.wait(
                under_way, return_when=asyncio.FIRST_COMPLETED, timeout=120
            )
            assert done, "nobody was refused"
            first += [each.result() for each in done]
        for answer in first[:beyond]:
            assert_unavailable(answer)
        assert under_way
        await lock.aclose()
        rest = await asyncio.gather(*under_way)
    assert any(each.status_code < 500 for each in rest)


async def test_long_polls_and_uploads_may_exceed_the_call_timeout(hurried: GatewayFixture) -> None:
    """Long polls wait beyond the limit; upload parts may be slow."""
    bank, source = await hurried.client(), await make_department(hurried)
    content = lines({"uscc": UNKNOWN})
    path = await create(source, content)

    async def slowly() -> AsyncIterator[bytes]:
        yield content[:10]
        await asyncio.sleep(LONG)
        yield content[10:]

    async def polled() -> httpx2.Response:
        address = f"/v1/changes?after=0&wait={LONG}"
        return await bank.send(address, b"", method="GET", scope="changes")

    async def uploaded() -> httpx2.Response:
        headers = await source.headers("PATCH", path, scope="records:write")
        sent = {
            "Tus-Resumable": "1.0.0",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": "0",
        }
        return await hurried.http.patch(path, content=slowly(), headers=headers | sent)

    polled_answer, uploaded_answer = await asyncio.gather(polled(), uploaded())
    assert polled_answer.status_code == 200, polled_answer.text
    assert uploaded_answer.status_code == 204, uploaded_answer.text


class LateDatabase(HotDatabase):
    """A database that executes but does not return."""

    def __init__(self, alive: HotDatabase, last: Statement) -> None:
        self._alive = alive
        self._last = last

    async def row(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Execute; never return for `last`."""
        row = await self._alive.row(statement, values)
        if statement is self._last:
            await asyncio.Event().wait()
        return row


async def test_a_late_answer_is_repeated_under_its_idempotency_key(
    gateway: GatewayFixture,
) -> None:
    """Committed and unanswered: the repeat returns it, logged once and spent once."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    rating = ("rating_at_least.v1", "良好")
    consent_id = await gateway.grant(bank, uscc, questions=[rating[0]])
    before = gateway.runtime
    hurried = before.settings.model_copy(update={"request_timeout": LIMIT})
    key = {"Idempotency-Key": "late"}
    gateway.app.state.runtime = replace(
        before, settings=hurried, hot=LateDatabase(before.hot, DISCLOSE.single)
    )
    try:
        assert_unavailable(await bank.verify(uscc, rating, headers=key))
    finally:
        gateway.app.state.runtime = before
    [told] = await gateway.log_of(bank)
    assert (told["outcome"], await gateway.uses(consent_id)) == ("told", 1)
    again = await bank.verify(uscc, rating, headers=key)
    assert again.status_code == 200, again.text
    assert again.json()["disclosure_id"] == told["disclosure_id"]
    assert len(await gateway.log_of(bank)) == await gateway.uses(consent_id) == 1


async def test_each_way_to_the_database_has_its_limit_there(hurried: GatewayFixture) -> None:
    """`statement_timeout` and others are set on each connection."""
    asked = "SELECT current_setting('statement_timeout') AS found"
    runtime = hurried.runtime
    row = await runtime.hot.row(Statement(asked), {})
    assert row is not None
    assert row["found"] == f"{LIMIT}s"
    for engine, expected in ((runtime.engine, f"{LIMIT}s"), (runtime.background, "15min")):
        async with engine.connect() as connection:
            assert (await connection.execute(text(asked))).scalar_one() == expected


async def test_an_upgrade_that_finds_a_table_in_use_says_so_and_can_be_repeated(
    postgres_url: str,
) -> None:
    """The migration's lock timeout is short; it can be repeated."""
    url = await new_database(postgres_url)
    await asyncio.to_thread(command.downgrade, alembic_config(url), "0028")
    engine = make_engine(url, pool_size=1)
    revision = text("SELECT version_num FROM alembic_version")
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE refresh_token IN ACCESS SHARE MODE"))
        with pytest.raises(TableInUseError, match="run `xinqiao-gateway db upgrade` again"):
            await asyncio.to_thread(upgrade, url)
        assert (await connection.execute(revision)).scalar_one() == "0028"
    await asyncio.to_thread(upgrade, url)
    async with engine.connect() as connection:
        assert (await connection.execute(revision)).scalar_one() > "0028"
    await engine.dispose()
