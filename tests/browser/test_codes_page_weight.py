"""Weight of an enterprise code's page in Chromium: bytes, requests, cookies, and no layout shift."""

from typing import Any, Final

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import BrowserPortal
from tests.creditfile_builders import make_record
from tests.waiting import PATIENCE

FIRST_VIEW: Final = 14_000
MANY: Final = 25
"""Records of one dataset: more than a page lists."""
SHIFTS: Final = """new Promise(resolve => {
  new PerformanceObserver(list => resolve(list.getEntries().map(each => each.value)))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => resolve([]), 500);
})"""


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("query", ["lang=zh", "lang=en", "lang=zh&size=large"])
async def test_a_page_is_two_requests_and_a_few_kilobytes_and_never_moves(
    chromium: Browser, site: BrowserPortal, query: str
) -> None:
    """Page and stylesheet of our own, compressed; with the most records that are listed."""
    firm = site.portal.firm
    await site.portal.add_records(
        *(make_record(uscc=firm, record_id=f"rec_{n}", natural_key=f"{n}") for n in range(MANY)),
        make_record("serious_violation", uscc=firm, record_id="listed", natural_key="listed"),
    )
    code = await site.portal.add_code(firm, "云栖小店（滨江店）")
    context = await chromium.new_context(viewport={"width": 390, "height": 664})
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    sent: list[int] = []

    def note(loaded: dict[str, Any]) -> None:
        sent.append(loaded["encodedDataLength"])

    session.on("Network.loadingFinished", note)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await session.send("Network.enable")
    await page.goto(f"{site.issuer}/E/{code.code_id}?{query}", wait_until="networkidle")
    loaded = [each for each in asked if not each.startswith("data:")]
    assert [each.partition("?")[0].rpartition("/")[2] for each in loaded] == [
        code.code_id,
        "code.css",
    ]
    assert all(each.startswith(f"{site.issuer}/") for each in loaded)
    assert 0 < sum(sent) <= FIRST_VIEW
    assert await page.evaluate(SHIFTS) == []
    assert await context.cookies() == []
    assert await page.locator("[itemscope]").count() == 1
