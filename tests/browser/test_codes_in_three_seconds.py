"""First screen of an enterprise code's page: sign, status line and first warning without scrolling."""

from dataclasses import replace
from datetime import date
from typing import Any, Final

import pytest
from playwright.async_api import Browser
from sqlalchemy import update

from gateway.creditfile.tables import enterprise
from tests.browser.conftest import BrowserPortal
from tests.creditfile_builders import make_record
from tests.waiting import PATIENCE

IN_THE_SESSION: Final = pytest.mark.asyncio(loop_scope="session")
SCREENS: Final = ((390, 664), (320, 568))
MOST_BEFORE: Final = 120
"""Maximum characters before the first warning."""
LONG_NAME: Final = "杭州云栖大数据科技与企业信用信息咨询服务（集团）股份有限公司"
AUTHORITY: Final = "杭州市余杭区市场监督管理局"
TRAITS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "serious_violation": ("alert", {"reason": "生产销售不符合保障人身健康标准的产品，情节严重。"}),
    "penalty": (
        "alert",
        {"violation_type": "销售侵犯注册商标专用权的商品", "authority": AUTHORITY},
    ),
    "abnormal_listing": ("alert", {"reason": "无法联系"}),
    "untrustworthy_list": (
        "alert",
        {"reason": "拖欠农民工工资达到认定拒不支付劳动报酬罪数额标准，经责令限期支付逾期未支付。"},
    ),
    "sampling_result": ("alert", {"product": "凉拌黄瓜", "failed_items": ["大肠菌群"]}),
    "arrears_notice": ("notice", {"amount": "66.000000"}),
    "nothing": ("ok", {}),
    "deregistered": ("ended", {}),
    "suspended": ("notice", {}),
}


@IN_THE_SESSION
@pytest.mark.parametrize("screen", SCREENS, ids=lambda each: f"{each[0]}x{each[1]}")
@pytest.mark.parametrize("trait", TRAITS)
async def test_a_citizen_sees_the_verdict_without_scrolling(
    chromium: Browser, site: BrowserPortal, trait: str, screen: tuple[int, int]
) -> None:
    """In both languages and with a long name, the sign, the status line and the first warning are in view."""
    icon, fields = TRAITS[trait]
    firm = site.portal.firm
    async with site.portal.engine.begin() as connection:
        status = trait if trait in {"deregistered", "suspended"} else "active"
        await connection.execute(
            update(enterprise)
            .where(enterprise.c.uscc == firm)
            .values(status=status, name=LONG_NAME)
        )
    if fields:
        record = make_record(trait, uscc=firm, **fields)
        await site.portal.add_records(replace(record, decided_on=date(2026, 8, 1)))
    code = await site.portal.add_code(firm, "云栖小店（滨江店）")
    context = await chromium.new_context(viewport={"width": screen[0], "height": screen[1]})
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    for language in ("zh", "en"):
        await page.goto(f"{site.issuer}/E/{code.code_id}?lang={language}")
        wanted = ["h1", f".line.{icon}", *([".alerts li:first-child"] if fields else [])]
        for selector in wanted:
            box = await page.locator(selector).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= screen[1], (selector, language)
        last = wanted[-1] if fields else ".line"
        whole = "body" if language == "zh" else "main"  # an English word is many characters
        assert await page.evaluate(CHARACTERS_BEFORE, [whole, last]) <= MOST_BEFORE, language
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


CHARACTERS_BEFORE: Final = """([whole, selector]) => {
  const range = document.createRange();
  range.setStart(document.querySelector(whole), 0);
  range.setEndBefore(document.querySelector(selector));
  return range.toString().replace(/\\s+/g, '').length;
}"""
