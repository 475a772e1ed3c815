"""PostgreSQL failover: 503 in each endpoint's error format, then recovery without a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from gateway.codes.ids import code_id_from
from tests.client_builders import make_operator
from tests.databases import new_database
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, in_process, verification_body
from tests.log_builders import make_checkpoint_folder
from tests.records_builders import make_department, make_penalty

pytestmark = pytest.mark.asyncio(loop_scope="session")

EndpointCall = Callable[[], Awaitable[httpx2.Response]]
CODE: Final = f"/E/{code_id_from(bytes(16))}"
FORMS: Final = {
    "admin": "problem+json",
    "code": "html",
    "code as JSON": "problem+json",
    "consents": "problem+json",
    "authorize": "html",
    "log": "problem+json",
    "portal": "html",
    "pushed": "json",
    "ready": "problem+json",
    "records": "problem+json",
    "token": "json",
    "verify": "problem+json",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def on_own(
    gateway: GatewayFixture, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GatewayFixture]:
    """A gateway with its own database, without a province."""
    own = {
        "database_url": await new_database(postgres_url),
        "log_checkpoints": (make_checkpoint_folder(tmp_path_factory.mktemp("on_own")),),
    }
    settings = gateway.settings.model_copy(update=own)
    async with in_process(settings, gateway.clock) as (app, http):
        yield replace(gateway, app=app, settings=settings, http=http)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(on_own: GatewayFixture) -> dict[str, EndpointCall]:
    """A call of each kind of endpoint, with credentials prepared before."""
    bank, source = await on_own.client(), await make_department(on_own)
    admin = await make_operator(on_own)
    rows = {"dataset": "penalty", "records": [make_penalty(on_own, UNKNOWN)]}
    cookie = {"Cookie": "xinqiao=not-a-session"}
    asked = {"client_id": bank.client_id, "request_uri": "urn:ietf:params:oauth:request_uri:none"}
    get = on_own.http.get
    found: dict[str, EndpointCall] = {
        "verify": lambda: bank.send(
            "/v1/verifications", verification_body(UNKNOWN, "is_active.v1")
        ),
        "consents": lambda: bank.send("/v1/consents", b"", method="GET", scope="consents"),
        "records": lambda: source.send("/v1/records", rows, scope="records:write"),
        "admin": lambda: admin.send("/v1/admin/clients", b"", method="GET", scope="admin"),
        "token": lambda: bank._ask_for_token("verify"),
        "pushed": lambda: pushed(bank),
        "portal": lambda: get("/portal", headers=cookie),
        "authorize": lambda: get("/oauth/authorize", params=asked),
        "code": lambda: get(CODE),
        "code as JSON": lambda: get(CODE, headers={"Accept": "application/json"}),
        "log": lambda: get("/log/checkpoint"),
        "ready": lambda: get("/readyz"),
    }
    for call in found.values():
        assert (await call()).status_code < 500
    return found


async def pushed(bank: Caller) -> httpx2.Response:
    """A pushed authorization request."""
    form = {
        "client_id": bank.client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": bank.assertion(),
    }
    return await bank.gateway.http.post("/oauth/par", data=form)


def assert_unavailable(name: str, response: httpx2.Response) -> None:
    """Assert 503 with Retry-After in the endpoint's format, without details."""
    assert response.status_code == 503, (name, response.text)
    assert int(response.headers["retry-after"]) >= 1
    kind = response.headers["content-type"]
    assert FORMS[name] in kind, (name, kind)
    if FORMS[name] == "problem+json":
        assert response.json()["code"] == "temporarily_unavailable"
    elif FORMS[name] == "json":
        assert response.json()["error"] == "temporarily_unavailable"
    for word in ("postgres", "asyncpg", "sqlalchemy", "read-only", "relation", "xinqiao_test"):
        assert word not in response.text.lower()


async def first_then_fit(gateway: GatewayFixture, calls: Mapping[str, EndpointCall]) -> None:
    """Assert at most one failure, then success and continued sequencing."""
    first = await calls["ready"]()
    if first.status_code != 200:
        assert_unavailable("ready", first)
    for name, call in calls.items():
        response = await call()
        assert response.status_code < 500, (name, response.text)
    assert (await calls["ready"]()).status_code == 200
    async with asyncio.timeout(60):
        while await gateway.rows("SELECT pg_sleep(0.1) FROM pending_leaf LIMIT 1"):
            pass


@asynccontextmanager
async def beside(gateway: GatewayFixture) -> AsyncIterator[tuple[asyncpg.Connection, URL]]:
    """A connection to the server's database `postgres`, and the gateway's URL."""
    address = make_url(gateway.settings.database_url)
    connection = await asyncpg.connect(
        host=address.query.get("host", address.host),
        port=address.port,
        user=address.username,
        password=address.password,
        database="postgres",
    )
    try:
        yield connection, address
    finally:
        await connection.close()


END_SESSIONS: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


async def test_a_database_that_was_read_only_is_written_to_again(
    on_own: GatewayFixture, calls: dict[str, EndpointCall]
) -> None:
    """Read-only sessions are all replaced."""
    async with beside(on_own) as (server, address):
        own = f'ALTER DATABASE "{address.database}"'
        await server.execute(f"{own} SET default_transaction_read_only = on")
        await server.execute(END_SESSIONS, address.database)
        for call in calls.values():  # each pool opens its sessions while nothing may be written
            await call()
        for name in ("verify", "token", "pushed", "records", "portal", "ready"):
            assert_unavailable(name, await calls[name]())
        await server.execute(f"{own} RESET default_transaction_read_only")
    await first_then_fit(on_own, calls)


async def test_a_database_that_refused_connections_is_used_again(
    on_own: GatewayFixture, calls: dict[str, EndpointCall]
) -> None:
    """Terminated sessions and refused connections: 503 until it is over."""
    async with beside(on_own) as (server, address):
        await server.execute(f'ALTER DATABASE "{address.database}" ALLOW_CONNECTIONS false')
        try:
            await server.execute(END_SESSIONS, address.database)
            await asyncio.gather(*(call() for call in calls.values()))  # who finds a cut session
            for name, call in calls.items():
                assert_unavailable(name, await call())
        finally:
            await server.execute(f'ALTER DATABASE "{address.database}" ALLOW_CONNECTIONS true')
    await first_then_fit(on_own, calls)


async def test_a_table_that_changed_under_a_prepared_statement_is_read_again(
    on_own: GatewayFixture, calls: dict[str, EndpointCall]
) -> None:
    """After a migration at most one statement fails; prepared plans are then discarded."""
    for kind in ("varchar(90)", "text"):
        async with on_own.runtime.engine.begin() as connection:
            await connection.execute(text(f"ALTER TABLE consent ALTER COLUMN purpose TYPE {kind}"))
        failed = [each for _ in range(6) if (each := await calls["consents"]()).status_code != 200]
        assert len(failed) <= 1
        for each in failed:
            assert_unavailable("consents", each)
    assert (await calls["verify"]()).status_code == 200
