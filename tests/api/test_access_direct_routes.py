"""Paths served without FastAPI's routing: described, checked and logged as FastAPI's own."""

from typing import cast

import httpx2
import pytest
import structlog.testing
from fastapi.routing import APIRoute, iter_route_contexts

from gateway.access.http.direct_route import DirectEndpoints, DirectPage, Endpoints
from gateway.app import create_app
from gateway.codes.ids import code_id_from
from gateway.codes.routes import PAGE_PATH, scan_code
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

DIRECT = ["/v1/verifications", "/v1/queries", "/oauth/token"]


async def test_a_direct_endpoint_knows_the_route_that_describes_it(gateway: GatewayFixture) -> None:
    """The log of refusals and the check of query parameters go by it."""
    app = create_app(gateway.runtime.settings)
    innermost = app.user_middleware[-1]
    assert innermost.cls is DirectEndpoints  # type: ignore[comparison-overlap]  # a factory's type
    endpoints = cast("Endpoints", innermost.kwargs["endpoints"])
    assert list(endpoints) == [("POST", path) for path in DIRECT]
    described = {
        each.path: each.original_route
        for each in iter_route_contexts(app.router.routes)
        if isinstance(each.original_route, APIRoute)
    }
    for (_, path), (handler, route) in endpoints.items():
        assert route is described[path]
        assert getattr(route, "endpoint", None) is handler
    page = cast("DirectPage", innermost.kwargs["page"])
    assert page.route is described[PAGE_PATH]
    assert getattr(page.route, "endpoint", None) is scan_code


async def test_a_code_is_served_directly_as_it_stands_in_a_symbol_alone(
    gateway: GatewayFixture,
) -> None:
    """Every other spelling, and what is no id, is left to the route."""
    innermost = create_app(gateway.runtime.settings).user_middleware[-1]
    pattern = cast("DirectPage", innermost.kwargs["page"]).pattern
    code_id = code_id_from(bytes(16))
    found = pattern.match(f"/E/{code_id}")
    assert found is not None
    assert found.groupdict() == {"code_id": code_id}
    others = (code_id.lower(), f"{code_id}/", f"{code_id}A", code_id[1:], "report", "")
    assert [pattern.match(f"/E/{each}") for each in others] == [None] * len(others)


async def test_a_refusal_is_logged_with_its_route(gateway: GatewayFixture) -> None:
    """As of a path that FastAPI serves."""
    with structlog.testing.capture_logs() as logged:
        answer = await gateway.http.post("/v1/verifications")
    assert answer.status_code == 401
    assert [each["route"] for each in logged if each["event"] == "refused"] == ["/v1/verifications"]


@pytest.mark.parametrize("path", DIRECT)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_another_method_is_refused_as_elsewhere(
    gateway: GatewayFixture, method: str, path: str
) -> None:
    """405, and `Allow` names the one method that there is."""
    answer: httpx2.Response = await gateway.http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
