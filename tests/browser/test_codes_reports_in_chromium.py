"""Pages around false codes in Chromium: a form without script, a position that stays on the phone."""

import itertools
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.browser.conftest import HEIGHT, WIDTH, BrowserPortal
from tests.browser.page_visits import DESKTOP, PHONE, keep_picture
from tests.browser.test_portal_accessibility import OUTSIDE, RUN_AXE, SMALL, axe
from tests.browser.test_portal_on_a_phone import SMALLEST_TARGET, TOO_SMALL
from tests.waiting import PATIENCE

__all__ = ["axe"]  # the fixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

IN_XIHU: Final = {"latitude": 30.25, "longitude": 120.12, "accuracy": 50.0}
IN_WENZHOU: Final = {"latitude": 28.0, "longitude": 120.7, "accuracy": 50.0}
ROUGH: Final = {"latitude": 28.0, "longitude": 120.7, "accuracy": 50_000.0}


async def test_a_citizen_reports_on_a_phone_without_script(
    phone: Page, site: BrowserPortal
) -> None:
    """From the code's page to the thanks; a forgotten choice is told, and what was typed stays."""
    code = await site.portal.add_code(site.portal.firm)
    await phone.goto(f"{site.issuer}/E/{code.code_id}")
    await phone.get_by_role("link", name="反映与店铺不符").click()
    await phone.get_by_label("贴在哪里").fill("解放路口的小吃店")
    await keep_picture(phone, "report-form")
    await phone.get_by_label("地址不一样").check()
    await phone.get_by_role("button", name="提交").click()
    await expect(phone.get_by_role("heading", name="已收到")).to_be_visible()
    await expect(phone.get_by_text("5 个工作日内")).to_be_visible()
    assert await phone.context.cookies() == []


@pytest.mark.parametrize(
    ("position", "result", "words"),
    [
        (IN_XIHU, "inside", "范围内或附近"),
        (IN_WENZHOU, "outside", "以外约 23"),
        (ROUGH, "unsure", "不够准"),
        (None, "denied", "没有取得位置"),
    ],
)
async def test_the_position_is_compared_on_the_phone_alone(
    chromium: Browser,
    site: BrowserPortal,
    position: dict[str, float] | None,
    result: str,
    words: str,
) -> None:
    """Nothing is asked before the tap, and no request of any kind follows it."""
    code = await site.portal.add_code(site.portal.firm)
    granted: dict[str, Any] = {"permissions": ["geolocation"], "geolocation": position}
    context = await chromium.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, **(granted if position else {})
    )
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    sent: list[Request] = []
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    await page.goto(f"{site.issuer}/E/nearby?code={code.code_id}")
    await expect(page.locator("#result")).to_contain_text("不用位置也能核对")
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108  # Playwright marks it
    await page.get_by_role("button", name="用我的位置核对").click()
    await expect(page.locator(f"#result.{result}")).to_contain_text(words)
    await keep_picture(page, f"nearby-{result}")
    leaks = """async () => {
      try { await fetch('/E/?code=leak'); return 'sent'; } catch { return 'refused'; }
    }"""
    assert sent == []
    assert trouble == []
    assert await page.evaluate(leaks) == "refused", "the page's own policy forbids connections"


async def test_without_script_the_place_is_compared_by_eye(
    phone: Page, site: BrowserPortal
) -> None:
    """No button that does nothing."""
    code = await site.portal.add_code(site.portal.firm)
    await phone.goto(f"{site.issuer}/E/nearby?code={code.code_id}")
    await expect(phone.get_by_text("营业执照上的地址")).to_be_visible()
    await expect(phone.get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_its_screen_and_axe_finds_nothing(
    chromium: Browser, site: BrowserPortal, axe: str, scheme: Literal["light", "dark"]
) -> None:
    """On a small phone in large text and on a desk, in both languages."""
    code = await site.portal.add_code(site.portal.firm)
    paths = {
        "how": "/E/how?",
        "form": f"/E/report?code={code.code_id}&",
        "sent": "/E/report/sent?masked=1&",
        "nearby": f"/E/nearby?code={code.code_id}&",
        "unknown": f"/E/{'A' * 26}?",
    }
    found: dict[str, list[str]] = {}
    for screen, size in ((SMALL, "large"), (PHONE, "plain"), (DESKTOP, "plain")):
        context = await chromium.new_context(viewport=screen, color_scheme=scheme)
        context.set_default_timeout(1000 * PATIENCE)
        page = await context.new_page()
        for language, (name, path) in itertools.product(("zh", "en"), paths.items()):
            await page.goto(f"{site.issuer}{path}lang={language}&size={size}")
            at = f"{name}-{screen['width']}-{language}-{scheme}"
            await keep_picture(page, at)
            found[f"{at}, too wide"] = await page.evaluate(OUTSIDE)
            if screen is not DESKTOP:
                found[f"{at}, to be touched"] = await page.evaluate(TOO_SMALL, SMALLEST_TARGET)
                await page.evaluate(axe)
                found[at] = await page.evaluate(RUN_AXE)
        await context.close()
    assert {name: faults for name, faults in found.items() if faults} == {}
