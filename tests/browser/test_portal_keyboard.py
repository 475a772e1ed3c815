"""Portal by keyboard alone, without JavaScript, with a visible focus."""

from collections.abc import Callable
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from consent import Status
from tests.browser.conftest import BrowserPortal
from tests.browser.page_visits import DESKTOP, PHONE
from tests.consent_builders import stored_consents
from tests.portal_fixture import PASSWORD
from tests.portal_gallery import ask_by_link
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_STOPS: Final = 60
HERE: Final = """() => {
  const each = document.activeElement, style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  return {
    tag: each.tagName, name: each.name || '', value: each.value || '', text: each.textContent.trim(),
    marked: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    onScreen: box.bottom > 0 && box.top < innerHeight,
  };
}"""


async def tab_to(page: Page, wanted: Callable[[dict[str, str]], bool]) -> None:
    """Press Tab until the target has focus; each stop is marked and on the screen."""
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        here = await page.evaluate(HERE)
        if here["tag"] == "BODY":
            continue
        assert here["marked"], here
        assert here["onScreen"], here
        if wanted(here):
            return
    pytest.fail("it cannot be reached by Tab")


async def enter(page: Page) -> None:
    """Press Enter and wait for the next page."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def sign_in(page: Page) -> None:
    """Sign in with Tab, letters and Enter."""
    await tab_to(page, lambda here: here["name"] == "username")
    await page.keyboard.type("zhang")
    await tab_to(page, lambda here: here["name"] == "password")
    await page.keyboard.type(PASSWORD)
    await enter(page)


@pytest.mark.parametrize("way", ["link", "redirect"])
@pytest.mark.parametrize("screen", ["phone", "desktop"])
async def test_a_decision_needs_no_mouse(
    chromium: Browser, site: BrowserPortal, way: str, screen: str
) -> None:
    """Sign in, tick an item with Space, grant with Enter, withdraw; by redirect and by link."""
    portal = site.portal
    context = await chromium.new_context(viewport=PHONE if screen == "phone" else DESKTOP)
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    by_link = f"{site.issuer}/portal/asked/{await ask_by_link(portal, portal.firm)}"
    await page.goto(by_link if way == "link" else await site.ask())
    if way == "link":  # the page of whoever scans its QR code
        await tab_to(page, lambda here: here["text"] == "登录处理")
        await enter(page)
    await sign_in(page)
    await expect(page.get_by_role("heading", name="授权申请")).to_be_visible()
    await page.keyboard.press("Tab")
    assert (await page.evaluate(HERE))["text"] == "跳到正文"
    await tab_to(page, lambda here: here["value"] == "penalty")
    await page.keyboard.press("Space")
    await expect(page.get_by_label("行政处罚")).to_be_checked()
    await tab_to(page, lambda here: here["value"] == "grant")
    await enter(page)
    if way == "link":
        await expect(page.get_by_role("status")).to_contain_text("已同意")
    else:
        await expect(page.get_by_role("heading", name="Back at the bank")).to_be_visible()
    async with portal.engine.connect() as connection:
        held = [
            each
            for each in await stored_consents(connection, portal.firm)
            if each.status is Status.ACTIVE
        ]
    assert [each.datasets for each in held] == [("penalty",)]

    await page.goto(f"{site.issuer}/portal/consents/{held[0].consent_id}")
    await tab_to(page, lambda here: here["text"] == "撤回授权")
    await enter(page)
    await tab_to(page, lambda here: here["text"] == "确认撤回")
    await enter(page)
    await expect(page.get_by_role("status")).to_contain_text("已撤回")
    await context.close()


async def test_a_filter_is_set_by_keyboard(chromium: Browser, site: BrowserPortal) -> None:
    """Open with Enter, choose with a letter or an arrow, submit with Enter."""
    portal = site.portal
    await portal.add_look(portal.firm)
    await portal.add_look(portal.firm, outcome="refused", reason="not_available")
    context = await chromium.new_context(viewport=PHONE)
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    await page.goto(f"{site.issuer}/portal/enterprises/{portal.firm}/looks")
    await sign_in(page)
    await tab_to(page, lambda here: here["text"] == "筛选和导出")
    await page.keyboard.press("Enter")
    await tab_to(page, lambda here: here["name"] == "outcome")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await tab_to(page, lambda here: here["text"] == "筛选")
    await enter(page)
    await expect(page.locator("li.look")).to_have_count(1)
    await expect(page.locator("li.look")).to_contain_text("没有您的授权")
    await context.close()
