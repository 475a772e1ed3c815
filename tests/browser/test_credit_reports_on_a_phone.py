"""An own credit report on a phone: chosen, previewed, opened, checked, taken back."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import BrowserPortal
from tests.browser.page_visits import PHONE, keep_picture, signed_in_context
from tests.browser.test_portal_accessibility import OUTSIDE
from tests.browser.test_portal_on_a_phone import SMALLEST_TARGET, TOO_SMALL
from tests.creditfile_builders import make_record
from tests.waiting import PATIENCE

TORN_CODES: Final = r"""() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), codes = [];
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (/^[0-9A-Z]{18}$/.test(text.data.trim())) codes.push(text);
  }
  if (codes.length < 2) throw new Error('of the head and of the registration');
  return codes.filter(each => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return range.getClientRects().length > 1;
  }).map(each => each.data);
}"""
"""Unified social credit codes on two lines."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def look_at(page: Page, name: str) -> None:
    """Nothing beyond the screen, and everything that is touched large enough."""
    await keep_picture(page, f"own-report-{name}")
    assert await page.evaluate(OUTSIDE) == [], name
    assert await page.evaluate(TOO_SMALL, SMALLEST_TARGET) == [], name


async def test_an_enterprise_makes_a_report_and_its_reader_checks_it(
    chromium: Browser, site: BrowserPortal, tmp_path: Path
) -> None:
    """From the start page to “not valid any more”."""
    record = make_record(uscc=site.portal.firm, record_id=f"rec_{site.portal.firm[-6:]}")
    await site.portal.add_records(record)
    async with signed_in_context(chromium, site, "zhang", "zh", viewport=PHONE) as context:
        page = await context.new_page()
        await page.goto(f"{site.issuer}/portal/enterprises/{site.portal.firm}/reports")
        await page.get_by_role("link", name="出具信用报告").click()
        await expect(page.locator("input[type=checkbox]:checked")).to_have_count(0)
        await page.get_by_label("登记信息").check()
        await page.get_by_label("行政处罚").check()
        await page.get_by_label("出具给").fill("示例银行")
        await look_at(page, "chosen")
        await page.get_by_role("button", name="预览").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("预览：对方将看到的内容")
        await look_at(page, "preview")
        await page.get_by_role("button", name="确认出具").click()
        await expect(page.get_by_role("status")).to_contain_text("报告已出具")
        await look_at(page, "made")
        own, link = page.url, await page.locator('a[href^="/R/"]').get_attribute("href")
        reader = await chromium.new_context(viewport=PHONE)
        reader.set_default_timeout(1000 * PATIENCE)
        there = await reader.new_page()
        await there.goto(f"{site.issuer}{link}")
        await expect(there.locator(".line.ok")).to_contain_text("有效")
        await there.locator("summary", has_text="云栖数据").click()
        assert await there.evaluate(TORN_CODES) == []
        await look_at(there, "opened")
        answer = await reader.request.get(f"{site.issuer}{link}/report.json")
        file = tmp_path / "report.json"
        file.write_bytes(await answer.body())
        await there.get_by_label("收到的文件").set_input_files(file)
        await there.get_by_role("button", name="核对").click()
        await expect(there.get_by_role("status")).to_contain_text("一致：这就是签发的文件")
        await look_at(there, "checked")
        await page.goto(own)
        await page.get_by_role("link", name="收回").click()
        await page.get_by_role("button", name="确认收回").click()
        await expect(page.get_by_role("status")).to_contain_text("已收回")
        await there.goto(f"{site.issuer}{link}")
        await expect(there.get_by_role("alert")).to_contain_text("不再有效：企业已收回")
        await look_at(there, "gone")
        assert await reader.cookies() == []
        await reader.close()
