"""XSS in a real browser: hostile text in every stored field and every parameter does not run.

With our Content-Security-Policy and without it: escaped text stays text in both.
"""

from typing import Final
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext

from gateway.pages.i18n import Language
from tests.browser.conftest import BrowserPortal
from tests.browser.page_visits import PHONE, every_second, signed_in_context, visit
from tests.portal_gallery import Gallery, PageTexts, fill_gallery

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE: Final = (
    "<script>ran()</script>\"'><img src=x onerror=ran()><svg onload=ran()>"
    "</textarea></title><style>@import'//evil.example'</style>"
    "<a href=javascript:ran()>{{7*7}}<iframe srcdoc='<script>parent.ran()</script>'>"
)
WATCH: Final = "window.ran = () => { window.didRun = true }"
FOUND: Final = """() => [
  window.didRun ? 'it ran' : '',
  ...[...document.querySelectorAll('script, iframe, svg[onload], style, img[src="x"]')]
    .filter(each => !each.matches('script[src^="/E/nearby.js?v="]'))
    .map(each => each.outerHTML),
  ...[...document.querySelectorAll('*')].flatMap(each => [...each.attributes])
    .filter(each => each.name.startsWith('on') || /^\\s*javascript:/i.test(each.value))
    .map(each => `${each.name}=${each.value}`),
].filter(each => each)"""
PARAMETERS: Final = (
    "notice", "before", "dataset", "after", "client", "purpose", "outcome", "since", "until",
    "uscc", "return", "error", "state", "nonce", "download",
)  # fmt: skip


async def findings(
    context: BrowserContext, site: BrowserPortal, gallery: dict[str, str]
) -> dict[str, list[str]]:
    """Findings by page: markup that should be text, a dialog, a CSP report."""
    await context.add_init_script(WATCH)
    page = await context.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: told.append(request.url) if _is_evil(request.url) else None)
    found = {}
    async for name, response in visit(page, site, gallery):
        assert response.status < 500, name
        seen = await page.evaluate(FOUND)
        expected = [each for each in told if "Failed to load resource" not in each]
        if seen or expected:
            found[name] = seen + expected
        told.clear()
    return found


def _is_evil(address: str) -> bool:
    return urlsplit(address).hostname == "evil.example"


def reflecting_paths(gallery: Gallery) -> dict[str, str]:
    """The pages with hostile text in each parameter and in place of each id."""
    query = "&".join(f"{name}={quote(HOSTILE)}" for name in PARAMETERS)
    pages = {}
    for name, path in gallery.pages.items():
        pages[f"{name}, asked"] = f"{path}{'&' if '?' in path else '?'}{query}"
    below = {
        f"{name}, below": f"{path.partition('?')[0]}/{quote(HOSTILE, safe='')}"
        for name, path in gallery.pages.items()
    }
    return every_second(pages, first=1) | every_second(below, first=0)


@pytest.mark.parametrize(("language", "policy"), [("zh", True), ("en", False)])
async def test_stored_text_runs_on_no_page(
    chromium: Browser, site: BrowserPortal, language: Language, *, policy: bool
) -> None:
    """Stored XSS: names, contacts, records, sources, reasons, signs, objections, delegates, questions."""
    gallery = await fill_gallery(site.portal, PageTexts(hostile=HOSTILE))
    for username, pages in (("zhang", gallery.pages), ("li", gallery.two)):
        async with signed_in_context(
            chromium, site, username, language, viewport=PHONE, bypass_csp=not policy
        ) as context:
            some = every_second(pages, first=0) if policy else dict(pages)
            assert await findings(context, site, some) == {}


async def test_reflected_text_runs_on_no_page(chromium: Browser, site: BrowserPortal) -> None:
    """Reflected XSS: parameters and invalid ids, with the CSP disabled."""
    gallery = await fill_gallery(site.portal)
    async with signed_in_context(
        chromium, site, "zhang", "zh", viewport=PHONE, bypass_csp=True
    ) as context:
        assert await findings(context, site, reflecting_paths(gallery)) == {}


async def test_running_text_is_detected(chromium: Browser, site: BrowserPortal) -> None:
    """Control: the same text on a page without escaping runs and is detected."""
    async with signed_in_context(
        chromium, site, "zhang", "zh", viewport=PHONE, bypass_csp=True
    ) as context:
        await context.route(
            "**/portal/open",
            lambda route: route.fulfill(
                body=f"<!doctype html><p>{HOSTILE}", content_type="text/html"
            ),
        )
        found = await findings(context, site, {"open": "/portal/open"})
    assert "it ran" in found["open"]
