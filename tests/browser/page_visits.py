"""Visits of the portal's gallery pages in a real browser, signed in, in one language."""

import itertools
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, Response, ViewportSize

from gateway.identity import sessions
from gateway.pages.i18n import LANGUAGE_COOKIE, Language
from tests.browser.conftest import HEIGHT, BrowserPortal
from tests.sampling import FULL
from tests.waiting import PATIENCE

PICTURES: Final = os.environ.get("XINQIAO_TEST_PICTURES")
"""Folder for a screenshot of each page."""
PHONE: Final = ViewportSize(width=390, height=HEIGHT)
DESKTOP: Final = ViewportSize(width=1280, height=800)


@asynccontextmanager
async def signed_in_context(
    chromium: Browser, site: BrowserPortal, username: str, language: Language, **context: Any
) -> AsyncIterator[BrowserContext]:
    """Browser context with a signed-in person and a chosen language."""
    name = sessions.cookie_name(site.portal.runtime.settings)
    session = (await site.portal.signed_in(username)).cookies[name]
    made = await chromium.new_context(**context)
    made.set_default_timeout(1000 * PATIENCE)
    await made.add_cookies(
        [
            {"name": name, "value": session, "url": site.issuer},
            {"name": LANGUAGE_COOKIE, "value": language, "url": site.issuer},
        ]
    )
    yield made
    await made.close()


def every_second(pages: Mapping[str, str], *, first: int) -> dict[str, str]:
    """Half of the pages, starting with the first or (1) the second; all of them under `FULL=1`."""
    return dict(itertools.islice(pages.items(), 0 if FULL else first, None, 1 if FULL else 2))


async def visit(
    page: Page, site: BrowserPortal, pages: Mapping[str, str]
) -> AsyncIterator[tuple[str, Response]]:
    """Open each page in turn; yields its name and response."""
    cookies = {each.get("name"): each.get("value") for each in await page.context.cookies()}
    for name, path in pages.items():
        if path.upper().startswith(("/E", "/R/", "/S/")):  # the address alone decides the language
            path += f"{'&' if '?' in path else '?'}lang={cookies[LANGUAGE_COOKIE]}"  # noqa: PLW2901
        response = await page.goto(site.issuer + path)
        assert response is not None
        yield name, response


async def keep_picture(page: Page, name: str) -> None:
    """Save a screenshot if XINQIAO_TEST_PICTURES is set."""
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
