"""Fixtures: Chromium, and a portal and a client's callback page on loopback.

Playwright's synchronous API would leave an event loop running in the main thread, which breaks
asynchronous tests; so the asynchronous API is used.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright, expect
from starlette.responses import HTMLResponse

from gateway.http1.server import SERVER_OPTIONS
from tests.clock import Clock
from tests.portal_fixture import PortalFixture, open_portal
from tests.waiting import PATIENCE

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=1000 * PATIENCE)

WIDTH: Final = 390
HEIGHT: Final = 844


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserPortal:
    """A portal and a client's callback server that listen on loopback."""

    issuer: str
    bank: str
    portal: PortalFixture

    async def ask(self, **changed: Any) -> str:
        """URL of the decision page for a request of the client."""
        asked = {"redirect_uri": f"{self.bank}/callback", "redirect_origin": self.bank}
        return f"{self.issuer}/portal/decide/{await self.portal.ask(**asked | changed)}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def started() -> AsyncIterator[Browser]:
    """Chromium, started once for all tests."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def chromium(started: Browser) -> AsyncIterator[Browser]:
    """Chromium without the contexts of earlier tests."""
    yield started
    for context in started.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser) -> Page:
    """A page of a phone's size, without JavaScript."""
    context = await chromium.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        java_script_enabled=False,
        has_touch=True,
    )
    context.set_default_timeout(1000 * PATIENCE)
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def site(migrated_url: str, tmp_path: Path) -> AsyncIterator[BrowserPortal]:
    """A portal on a free port with a callback server."""
    listener = socket.create_server(("127.0.0.1", 0))
    issuer = _origin(listener)
    async with (
        open_portal(
            migrated_url, tmp_path, clock=Clock(datetime.now(UTC)), issuer=issuer
        ) as portal,
        _listening(portal.app, listener),
        _make_bank() as bank,
    ):
        yield BrowserPortal(issuer=issuer, bank=bank, portal=portal)


@asynccontextmanager
async def _make_bank() -> AsyncIterator[str]:
    app = FastAPI()
    page = HTMLResponse("<!doctype html><title>Bank</title><h1>Back at the bank</h1>")

    @app.get("/callback", response_model=None)
    async def callback() -> HTMLResponse:
        """Answer the redirect back to the client."""
        return page

    listener = socket.create_server(("127.0.0.1", 0))
    async with _listening(app, listener):
        yield _origin(listener)


@asynccontextmanager
async def _listening(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    """Serve `app`; early connections wait in the listen queue."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", **SERVER_OPTIONS)
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield
    server.should_exit = True
    await serving
    listener.close()


def _origin(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
