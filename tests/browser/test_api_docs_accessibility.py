"""The page `/docs`: accessibility (WCAG 2.2 AA), on a phone and on a desk, and nothing to press in vain."""

from typing import Final

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import BrowserPortal
from tests.browser.page_visits import DESKTOP, PHONE, keep_picture
from tests.browser.test_portal_accessibility import RUN_AXE
from tests.browser.test_portal_accessibility import axe as axe  # noqa: PLC0414  # a fixture
from tests.waiting import PATIENCE

SCREENS: Final = {"phone": PHONE, "desktop": DESKTOP}

FITS: Final = "document.documentElement.scrollWidth <= innerWidth"


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("screen", SCREENS)
async def test_axe_finds_nothing_in_the_api_docs_and_nothing_offers_to_authorize(
    chromium: Browser, site: BrowserPortal, axe: str, screen: str
) -> None:
    """As it opens; a page cannot make proofs, so there is no button for it."""
    context = await chromium.new_context(viewport=SCREENS[screen])
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    await page.goto(f"{site.issuer}/docs")
    await page.locator(".opblock").first.wait_for()
    await keep_picture(page, f"docs-{screen}")
    await page.evaluate(axe)
    assert await page.evaluate(RUN_AXE) == []
    assert await page.locator(".authorize, .authorization__btn").count() == 0
    assert await page.evaluate(FITS)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("operation", ["verify", "append_to_upload"])
async def test_axe_finds_nothing_in_an_opened_operation(
    chromium: Browser, site: BrowserPortal, axe: str, screen: str, operation: str
) -> None:
    """With its parameters, its example of a request, and its answers with headers and problems."""
    context = await chromium.new_context(viewport=SCREENS[screen])
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    await page.goto(f"{site.issuer}/docs")
    block = page.locator(f".opblock[id$=-{operation}]")
    await block.locator(".opblock-summary-control").click()
    await block.locator(".responses-table tbody tr").nth(3).wait_for()
    for heading in ("X-Request-Id", "DPoP"):
        assert await block.locator(".parameters", has_text=heading).count()
    await keep_picture(page, f"docs-{operation}-{screen}")
    await page.evaluate(axe)
    assert await page.evaluate(RUN_AXE) == []
    assert await page.evaluate(FITS)
