"""Router that looks at its routes only for paths that begin as one of them does."""

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from gateway.prefix_router import PrefixRouter


@pytest.mark.parametrize(
    ("path", "answer"),
    [("/E/A", "a code"), ("/E/", "look-up"), ("/in/x", "nested"), ("/Ex", None), ("/x/E/A", None)],
)
@pytest.mark.parametrize("root", ["", "/root"])
async def test_a_path_is_matched_as_by_any_router(path: str, answer: str | None, root: str) -> None:
    """With routers in it, under a root path, and with no match for others."""
    router, inner = PrefixRouter(), APIRouter()
    inner.add_api_route("/in/{name}", lambda: "nested")
    router.include_router(inner)
    router.add_api_route("/E/", lambda: "look-up")
    router.add_api_route("/E/{code_id:path}", lambda: "a code")
    app = FastAPI()
    app.include_router(router)
    transport = httpx2.ASGITransport(app=app, root_path=root)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        found = await client.get(root + path)
    assert (found.json() if found.status_code == 200 else None) == answer
