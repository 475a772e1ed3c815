"""Accessibility of every portal page (WCAG 2.2 AA): axe-core, large text, page weight."""

import itertools
import re
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from gateway.pages.i18n import Language
from tests.browser.conftest import BrowserPortal
from tests.browser.page_visits import (
    DESKTOP,
    PHONE,
    every_second,
    keep_picture,
    signed_in_context,
    visit,
)
from tests.browser.test_portal_on_a_phone import FIRST_VIEW_BYTES, SMALLEST_TARGET, TOO_SMALL
from tests.node.programs import MODULES, NodeMissingError, install
from tests.portal_gallery import AWAY, FILES, fill_gallery, page_routes
from tests.sampling import FULL

IN_THE_SESSION: Final = pytest.mark.asyncio(loop_scope="session")
LANGUAGES: Final = ("zh", "en")
SCREENS: Final = {"phone": PHONE, "desktop": DESKTOP}
SMALL: Final = ViewportSize(width=320, height=568)
SCHEMES: Final = ("light", "dark")
EVERY: Final = tuple(itertools.product(LANGUAGES, SCREENS, SCHEMES))
SOME: Final = (("zh", "phone", "light"), ("en", "desktop", "dark"))
RUN_AXE: Final = """() => axe.run(document, {runOnly: [
  'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice',
]}).then(found => found.violations.flatMap(
  each => each.nodes.map(node => `${each.id}: ${node.html} ${node.failureSummary}`)))"""
OUTSIDE: Final = """document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.body.querySelectorAll('*')]
  .filter(each => each.className !== 'skip' && each.getBoundingClientRect().right > innerWidth + 1)
  .map(each => each.outerHTML.slice(0, 120))"""
TORN: Final = r"""() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), torn = [];
  while (texts.nextNode()) {
    const text = texts.currentNode, range = document.createRange();
    if (text.parentElement.closest('.code, .breaks, .skip')) continue;
    for (const word of text.data.matchAll(/[A-Za-z’]+/g)) {
      if (word[0].length > 13) continue;
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(each => each.top)).size > 1) torn.push(word[0]);
    }
  }
  return torn;
}"""
"""Words of up to 13 Latin letters on two lines; longer ones do not fit a narrow column at twice the size."""
SIZES: Final = """[...document.body.querySelectorAll('*')]
  .filter(each => [...each.childNodes].some(one => one.nodeType === 3 && one.data.trim()))
  .map(each => parseFloat(getComputedStyle(each).fontSize))"""
OF_CODES: Final = ("scanned", "typed", "opened")
"""Beginnings of the names of pages with stylesheets of their own."""
MOST_SIZES: Final = 6
SMALLEST_TEXT: Final = 14
DOUBLE: Final = "document.documentElement.style.fontSize = '200%'"


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's script as published."""
    try:
        install()
    except NodeMissingError as missing:
        pytest.skip(str(missing))
    return (MODULES / "axe-core" / "axe.min.js").read_text()


async def weigh(page: Page) -> dict[str, float]:
    """Sum the transferred bytes, headers included."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    weighed = {"bytes": 0.0}

    def add(event: dict[str, Any]) -> None:
        weighed["bytes"] += event["encodedDataLength"]

    session.on("Network.loadingFinished", add)
    return weighed


@IN_THE_SESSION
@pytest.mark.parametrize(("language", "screen", "scheme"), EVERY if FULL else SOME)
async def test_axe_finds_nothing_on_any_page(
    chromium: Browser, site: BrowserPortal, axe: str, language: Language, screen: str, scheme: str
) -> None:
    """WCAG 2.2 AA and axe-core's best practices; small first views; six type sizes, none under 14 px."""
    gallery = await fill_gallery(site.portal)
    first = EVERY.index((language, screen, scheme)) % 2
    found: dict[str, list[str]] = {}
    sizes: set[float] = set()
    for username, pages in gallery.by_user():
        async with signed_in_context(
            chromium, site, username, language, viewport=SCREENS[screen], color_scheme=scheme
        ) as context:
            page = await context.new_page()
            weighed = await weigh(page)
            async for name, response in visit(page, site, every_second(pages, first=first)):
                assert "content-language" in response.headers, (name, await response.text())
                assert response.headers["content-language"][:2] == language, name
                loaded, weighed["bytes"] = weighed["bytes"], 0.0
                assert 0 < loaded < FIRST_VIEW_BYTES, (name, loaded)
                await keep_picture(page, f"{language}-{screen}-{scheme}-{name}")
                await page.evaluate(axe)
                found[name] = await page.evaluate(RUN_AXE)
                if not name.startswith(OF_CODES):
                    sizes |= set(await page.evaluate(SIZES))
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert min(sizes) >= SMALLEST_TEXT, sizes
    assert len(sizes) <= MOST_SIZES, sizes


@IN_THE_SESSION
@pytest.mark.parametrize("language", LANGUAGES)
async def test_large_text_on_a_small_screen_needs_no_sideways_scroll(
    chromium: Browser, site: BrowserPortal, language: Language
) -> None:
    """No horizontal scrolling at 320 px and at twice the text size; no torn words on a phone."""
    gallery = await fill_gallery(site.portal)
    found: dict[str, list[Any]] = {}
    for username, pages in gallery.by_user():
        async with signed_in_context(chromium, site, username, language, viewport=SMALL) as context:
            page = await context.new_page()
            half = every_second(pages, first=LANGUAGES.index(language))
            async for name, _ in visit(page, site, half):
                found[name] = await page.evaluate(OUTSIDE)
                found[f"{name}, to be touched"] = await page.evaluate(TOO_SMALL, SMALLEST_TARGET)
                await page.evaluate(DOUBLE)
                await keep_picture(page, f"{language}-large-{name}")
                found[f"{name}, large"] = await page.evaluate(OUTSIDE)
                await page.set_viewport_size(PHONE)
                if not name.startswith(OF_CODES):
                    found[f"{name}, torn"] = await page.evaluate(TORN)
                await page.set_viewport_size(SMALL)
    assert {name: faults for name, faults in found.items() if faults} == {}


@IN_THE_SESSION
async def test_the_walk_leaves_no_page_out(site: BrowserPortal) -> None:
    """Each page route is in `portal_gallery`; a new one must be added there."""
    gallery = await fill_gallery(site.portal)
    paths = [path.partition("?")[0] for path in (*gallery.pages.values(), *gallery.two.values())]
    routes = page_routes(site.portal.app)
    assert len(routes) > 30, "they were not found"
    left_out = {
        route
        for route in routes - {*AWAY}
        if not route.endswith(FILES)
        and not any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path) for path in paths)
    }
    assert left_out == set()


def test_axe_is_named_by_the_lock() -> None:
    """The version of axe-core is fixed by the lock file."""
    lock = (Path(__file__).parent.parent / "node" / "package-lock.json").read_text()
    assert '"node_modules/axe-core"' in lock
    assert "resolved" not in lock
