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
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
