"""PostgreSQL unavailable: 503 with Retry-After at every route."""

import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, NoReturn

import asyncpg
import httpx2
import orjson
import pytest
import pytest_asyncio
import sqlalchemy.exc
from asyncpg.exceptions import InternalClientError
from fastapi.routing import iter_route_contexts
from sqlalchemy.ext.asyncio import create_async_engine

from gateway.app import create_app
from gateway.clients.agreements import AgreementCache
from gateway.codes.ids import code_id_from
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.db.unavailable import is_unavailable
from gateway.pages.page_route import PageRoute
from gateway.records.spool import UPLOAD_ID
from gateway.signing import jws
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, query_body, verification_body
from tests.oauth_builders import claims_of
from tests.records_builders import make_penalty

pytestmark = pytest.mark.asyncio(loop_scope="session")


def postgres_error(sqlstate: str, *, severity: str = "ERROR", **fields: str) -> Exception:
    """Asyncpg's exception for a PostgreSQL error message."""
    message = {"S": severity, "V": severity, "C": sqlstate, "M": "made for a test", **fields}
    error: Exception = asyncpg.PostgresError.new(message)
    return error


CACHED_PLAN: Final = {"F": "plancache.c", "R": "RevalidateCachedQuery"}
NOT_NOW: Final[Mapping[str, Callable[[], Exception]]] = {
    "read-only": lambda: postgres_error("25006"),
    "canceled": lambda: postgres_error("57014"),
    "locked": lambda: postgres_error("55P03"),
    "disk full": lambda: postgres_error("53100"),
    "out of memory": lambda: postgres_error("53200"),
    "too many connections": lambda: postgres_error("53300", severity="FATAL"),
    "shutting down": lambda: postgres_error("57P01", severity="FATAL"),
    "crashed": lambda: postgres_error("57P02", severity="FATAL"),
    "starting up": lambda: postgres_error("57P03", severity="FATAL"),
    "connection lost": lambda: asyncpg.ConnectionDoesNotExistError("connection was closed"),
    "connection failed": lambda: postgres_error("08006"),
    "serialization": lambda: postgres_error("40001"),
    "deadlock": lambda: postgres_error("40P01"),
    "cached plan": lambda: postgres_error("0A000", **CACHED_PLAN),
    "password not known there": lambda: postgres_error("28P01", severity="FATAL"),
    "closed to all": lambda: postgres_error("55000", severity="FATAL"),
    "another server's statement": lambda: postgres_error("26000"),
    "input or output": lambda: postgres_error("58030"),
    "closed": lambda: asyncpg.InterfaceError("connection is closed"),
    "out of step": lambda: InternalClientError("got result for unknown protocol state"),
    "refused": lambda: ConnectionRefusedError(111, "Connect call failed"),
    "unknown host": lambda: OSError(-2, "Name or service not known"),
    "silent": TimeoutError,
    "no connection free": lambda: sqlalchemy.exc.TimeoutError("QueuePool limit reached"),
}
FAULTS: Final[Mapping[str, Callable[[], Exception]]] = {
    "a column that is not there": lambda: postgres_error("42703"),
    "not unique": lambda: postgres_error("23505"),
    "not supported": lambda: postgres_error("0A000"),
    "a wrong parameter": lambda: asyncpg.DataError("invalid input for query argument $1"),
    "broken pages": lambda: postgres_error("XX001"),
}
# What is answered without asking the database.
WITHOUT_DATABASE: Final = {
    "/",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/demo-identity/sign-in",
    "/docs",
    "/docs/contrast.css",
    "/docs/start.js",
    "/E/",
    "/E/how",
    "/E/nearby.js",
    "/E/report",  # the form
    "/E/report/sent",
    "/S/{token}",  # a made-up one is not looked up
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/portal/receipts/{consent_id}/{version}/{proof}",  # one that does not fit is not looked up
    "/portal/sign-in",
    "/portal/sign-in/return",
    "/portal/signed-out",
    "/portal/static/{name}",
    "/s/{token}",
    "/v1/bundles",
    "/v1/enterprise-codes",  # without an enterprise, none is looked up
    "/v1/outcomes",
    "/v1/questions",
}
SCOPES: Final = "verify query consents changes records:write codes admin audit"


class FailingDatabase(HotDatabase):
    """A database that raises one error for every statement."""

    def __init__(self, error: Callable[[], Exception]) -> None:
        self._error = error

    async def row(self, _statement: Statement, _values: Mapping[str, Any]) -> NoReturn:
        """Raise the error."""
        raise self._error()


@asynccontextmanager
async def failing(
    gateway: GatewayFixture, error: Callable[[], Exception]
) -> AsyncIterator[GatewayFixture]:
    """The gateway with both database handles failing."""

    async def connect(*_: Any, **__: Any) -> NoReturn:
        raise error()

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    hot = FailingDatabase(error)
    app = create_app(gateway.settings)
    app.state.runtime = replace(
        gateway.runtime, engine=engine, hot=hot, agreements=AgreementCache(hot)
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=gateway.issuer) as http:
        yield replace(gateway, app=app, http=http)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def full_access_client(gateway: GatewayFixture) -> Caller:
    """A client with all scopes."""
    caller = await gateway.client()
    claims = claims_of(await caller.token()) | {"scope": SCOPES}
    key = gateway.runtime.keys.current("token", gateway.clock())
    token = jws.sign(claims, typ="at+jwt", key=key)
    caller._tokens[SCOPES] = token, gateway.clock() + timedelta(hours=1)
    return caller


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCase:
    """A method of a route, with values for its parameters."""

    method: str
    route: str
    path: str
    is_page: bool


FILLED: Final = {
    "{uscc}": UNKNOWN,
    "{code_id}": code_id_from(bytes(16)),
    "{upload_id}": "upl_" + "a" * 26,
    "{job_id}": "upl_" + "a" * 26,
    "{level}": "0",
    "{piece}.pdf": "a6.pdf",
}


def addresses(gateway: GatewayFixture) -> Iterator[RouteCase]:
    """Every method of every path."""
    assert UPLOAD_ID.fullmatch(FILLED["{job_id}"])
    seen: set[tuple[str, str]] = set()
    for route in iter_route_contexts(gateway.app.router.routes):
        if route.path is None:
            continue
        path = re.sub(r":\w+}", "}", route.path)  # without convertors
        parts = [FILLED.get(p, "000" if p.startswith("{") else p) for p in path.split("/")]
        is_page = isinstance(route.original_route, PageRoute)
        methods = {(each, path) for each in (route.methods or set()) - {"HEAD", "OPTIONS"}} - seen
        seen |= methods
        for method, _ in sorted(methods):
            yield RouteCase(method=method, route=path, path="/".join(parts), is_page=is_page)


async def called(caller: Caller, address: RouteCase) -> httpx2.Response:
    """Call it with all credentials and a body where it takes one."""
    bodies = {
        "/v1/verifications": verification_body(UNKNOWN, "is_active.v1"),
        "/v1/queries": query_body(UNKNOWN),
        "/v1/records": {
            "dataset": "penalty",
            "records": [make_penalty(caller.gateway, UNKNOWN)],
        },
    }
    headers = {"Cookie": f"xinqiao={secrets.token_urlsafe(24)}"}
    if address.route.startswith("/v1"):
        body = orjson.dumps(bodies.get(address.route, {})) if address.method != "GET" else b""
        headers |= await caller.headers(address.method, address.path, body, scope=SCOPES)
        return await caller.gateway.http.request(
            address.method, address.path, content=body, headers=headers
        )
    form = {"client_id": caller.client_id}
    if address.route.startswith("/oauth"):
        form |= {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": caller.assertion(),
            "grant_type": "client_credentials",
        }
        headers["DPoP"] = await caller.proof("POST", address.path, None)
    is_get = address.method == "GET"
    return await caller.gateway.http.request(
        address.method,
        address.path,
        headers=headers,
        params=form | {"request_uri": "none"} if is_get else None,
        data=None if is_get else form,
    )


def assert_unavailable(address: RouteCase, answer: httpx2.Response) -> None:
    """Assert 503 with Retry-After, as a problem, an OAuth error or a page, without details."""
    assert answer.status_code == 503, (address, answer.text)
    assert int(answer.headers["retry-after"]) >= 1
    kind = answer.headers["content-type"]
    if address.is_page:
        assert kind.startswith("text/html"), address
    elif address.route.startswith("/oauth"):
        assert answer.json()["error"] == "temporarily_unavailable", address
    else:
        assert kind == "application/problem+json", address
        assert answer.json()["code"] == "temporarily_unavailable", address
    if address.route.startswith("/v1"):
        assert "signature" in answer.headers, address
    for word in ("asyncpg", "sqlalchemy", "made for a test", "connection was", "queuepool"):
        assert word not in answer.text.lower(), address


async def test_every_route_answers_503_in_its_error_format(
    gateway: GatewayFixture, full_access_client: Caller
) -> None:
    """A problem, an OAuth error or a page; routes that need no database answer normally."""
    answered = set()
    async with failing(gateway, NOT_NOW["read-only"]) as broken:
        caller = replace(full_access_client, gateway=broken)
        for address in addresses(broken):
            answer = await called(caller, address)
            if answer.status_code < 500:
                answered.add(address.route)
            else:
                assert_unavailable(address, answer)
    assert answered == WITHOUT_DATABASE


@pytest.mark.parametrize("error", NOT_NOW.values(), ids=NOT_NOW.keys())
async def test_each_unavailability_error_is_503_in_each_error_format(
    gateway: GatewayFixture, full_access_client: Caller, error: Callable[[], Exception]
) -> None:
    """Raw asyncpg errors and errors wrapped by SQLAlchemy."""
    routes = {"/v1/verifications", "/oauth/token", "/oauth/par", "/portal", "/E/{code_id}"}
    seen = set()
    async with failing(gateway, error) as broken:
        caller = replace(full_access_client, gateway=broken)
        for address in addresses(broken):
            if address.route in routes:
                assert_unavailable(address, await called(caller, address))
                seen.add(address.route)
        twin = await broken.http.get(
            f"/E/{FILLED['{code_id}']}", headers={"Accept": "application/json"}
        )
        assert twin.json()["code"] == "temporarily_unavailable"
        assert "signature" in twin.headers
    assert seen == routes


@pytest.mark.parametrize("error", FAULTS.values(), ids=FAULTS.keys())
async def test_a_programming_error_is_not_an_outage(
    gateway: GatewayFixture, full_access_client: Caller, error: Callable[[], Exception]
) -> None:
    """A programming error stays a 500, even during an outage."""
    assert not is_unavailable(ExceptionGroup("of two", [error(), NOT_NOW["closed"]()]))
    assert is_unavailable(ExceptionGroup("of two", [NOT_NOW["locked"](), NOT_NOW["closed"]()]))
    [address] = [each for each in addresses(gateway) if each.route == "/v1/verifications"]
    async with failing(gateway, error) as broken:
        answer = await called(replace(full_access_client, gateway=broken), address)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
