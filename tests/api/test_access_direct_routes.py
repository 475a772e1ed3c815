"""Routes served by Starlette alone: described, checked and logged as FastAPI's own."""

import httpx2
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from gateway.access.direct_route import DirectRoute
from gateway.app import create_app
from gateway.codes.routes import SYMBOL_PATH
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

DIRECT = ["/v1/verifications", "/v1/queries", "/oauth/token"]


async def test_the_description_is_the_same_with_and_without_direct_routes(
    gateway: GatewayFixture,
) -> None:
    """OpenAPI names each of them, in the words and the order of FastAPI's own routes."""
    app = create_app(gateway.runtime.settings)
    routes = app.router.routes
    direct = [each for each in routes if isinstance(each, DirectRoute)]
    assert [each.path for each in direct] == [SYMBOL_PATH, *DIRECT]
    assert routes[: len(direct)] == direct
    described = app.openapi()
    app.router.routes[:] = routes[len(direct) :]
    app.openapi_schema = None
    assert app.openapi() == described
    assert set(DIRECT) <= described["paths"].keys()


@pytest.mark.parametrize("path", DIRECT)
async def test_a_direct_route_knows_the_route_that_describes_it(
    gateway: GatewayFixture, path: str
) -> None:
    """The log of refusals and the check of query parameters go by it."""
    found = next(each for each in gateway.app.router.routes if getattr(each, "path", "") == path)
    scope = {"type": "http", "method": "POST", "path": path, "root_path": ""}
    _, child = found.matches(scope)
    described = [
        each.original_route
        for each in iter_route_contexts(gateway.app.router.routes)
        if each.path == path and isinstance(each.original_route, APIRoute)
    ]
    assert [child["route"]] == described


@pytest.mark.parametrize("path", DIRECT)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_another_method_is_refused_as_elsewhere(
    gateway: GatewayFixture, method: str, path: str
) -> None:
    """405, and `Allow` names the one method that there is."""
    answer: httpx2.Response = await gateway.http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
