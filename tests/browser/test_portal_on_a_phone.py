"""Portal on a phone without JavaScript: decide, withdraw, scan a code."""

from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import HEIGHT, BrowserPortal
from tests.creditfile_builders import make_record
from tests.portal_fixture import PASSWORD
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALLEST_TARGET: Final = 44
FIRST_VIEW_BYTES: Final = 60_000
FIVE: Final = ("registration", "penalty", "licence", "public_rating", "tax_and_social")


async def sign_in(page: Page, username: str = "zhang") -> None:
    """Fill in the demo provider's sign-in form."""
    banner = page.locator(".demo.strong")
    await expect(banner).to_contain_text("演示身份提供方 · Demo identity provider")
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()


async def test_a_consent_is_given_in_a_minute_and_taken_back_in_two_taps(
    phone: Page,
    site: BrowserPortal,
) -> None:
    """From the client's request back to the client, then to the withdrawal."""
    await phone.goto(await site.ask())
    await sign_in(phone)
    await expect(phone.get_by_role("heading", name="授权申请")).to_be_visible()
    await expect(phone.locator("input:checked")).to_have_count(0)
    await phone.get_by_label("行政处罚").check()
    await phone.get_by_label("法定代表人（经营者）证件号码与对方提供的是否一致").check()
    await phone.get_by_role("button", name="同意已选项").click()
    await expect(phone.get_by_role("heading", name="Back at the bank")).to_be_visible()
    assert "code=" in phone.url

    await phone.goto(f"{site.issuer}/portal/enterprises/{site.portal.firm}/consents")
    await phone.get_by_role("link", name="浙江示范银行").click()
    await phone.get_by_role("link", name="撤回授权").click()
    await phone.get_by_role("button", name="确认撤回").click()
    await expect(phone.get_by_role("status")).to_contain_text("已撤回")


async def test_a_shop_owner_sees_what_is_separate_and_gives_a_part_of_it(
    phone: Page, site: BrowserPortal
) -> None:
    """Each personal item stands in its dataset with a box of its own; one is left out."""
    await phone.goto(await site.ask(uscc=site.portal.shop))
    await sign_in(phone, "shopkeeper")
    for words in ("浙江示范银行", "贷款审批", "保存期限"):  # without unfolding anything
        await expect(phone.locator(".asks").get_by_text(words).first).to_be_visible()
    await expect(phone.get_by_role("group", name="申请查看的信息种类")).to_be_visible()
    group = phone.get_by_role("group", name="其中的个人信息")
    await expect(group.get_by_role("checkbox")).to_have_count(2)
    await phone.get_by_label("登记信息", exact=True).check()
    await group.get_by_label("联系电话").check()
    await phone.get_by_role("button", name="同意已选项").click()
    await expect(phone.get_by_role("heading", name="Back at the bank")).to_be_visible()
    await phone.goto(f"{site.issuer}/portal/enterprises/{site.portal.shop}/consents")
    await phone.get_by_role("link", name="浙江示范银行").click()
    await expect(phone.get_by_text("登记信息：联系电话（本人同意）")).to_be_visible()
    await expect(phone.locator(".facts").get_by_text("登记信息：经营者")).to_have_count(0)
    await phone.get_by_text("作出决定时页面显示的告知内容").click()
    await expect(phone.get_by_text("系统将通知对方停止使用").first).to_be_visible()


async def test_a_refusal_is_as_easy_and_goes_back_to_the_bank(
    phone: Page,
    site: BrowserPortal,
) -> None:
    """Both buttons have the same size and colour, and refusing needs no input."""
    await phone.goto(await site.ask())
    await sign_in(phone)
    refuse = phone.get_by_role("button", name="不同意", exact=True)
    grant = phone.get_by_role("button", name="同意已选项")
    first, second = await refuse.bounding_box(), await grant.bounding_box()
    assert first is not None
    assert second is not None
    assert (first["width"], first["height"]) == (second["width"], second["height"])
    assert await refuse.get_attribute("class") == await grant.get_attribute("class")
    await refuse.click()
    await expect(phone.get_by_role("heading", name="Back at the bank")).to_be_visible()
    assert "error=access_denied" in phone.url


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_request_for_five_datasets_is_shorter_than_three_screens(
    phone: Page, site: BrowserPortal, language: str
) -> None:
    """With a question on an ID number and personal items to be consented to separately."""
    await phone.goto(await site.ask(datasets=FIVE))
    await sign_in(phone)
    await expect(phone.get_by_role("heading", name="授权申请")).to_be_visible()
    await phone.goto(f"{phone.url}?lang={language}")
    assert await phone.locator("input[name=dataset]").count() == len(FIVE)
    assert await phone.locator("input[name=separate]").count() == 2
    assert await phone.evaluate("document.documentElement.scrollHeight") < 3 * HEIGHT


async def test_granting_nothing_is_asked_again(phone: Page, site: BrowserPortal) -> None:
    """The page stays, with a sentence saying what is missing."""
    await phone.goto(await site.ask())
    await sign_in(phone)
    await phone.get_by_role("button", name="同意已选项").click()
    await expect(phone.get_by_role("alert")).to_contain_text("您还没有勾选任何一项")


async def test_a_scanned_code_shows_its_page_without_sign_in(
    phone: Page,
    site: BrowserPortal,
) -> None:
    """The first screen has name, status line and check phrase."""
    await site.portal.add_records(
        make_record(
            uscc=site.portal.firm,
            violation_type="价格违法",
            facts="<b>未按规定明码标价</b>",
        )
    )
    code = await site.portal.add_code(site.portal.firm)
    await phone.goto(f"{site.issuer}/E/{code.code_id}")
    for words in ("杭州云栖数据科技有限公司", "有 1 条行政处罚记录", code.check_phrase):
        box = await phone.get_by_text(words, exact=True).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= HEIGHT
    await phone.locator("summary", has_text="价格违法").first.click()
    await expect(phone.get_by_text("<b>未按规定明码标价</b>")).to_be_visible()


async def test_a_revoked_code_warns_in_red(phone: Page, site: BrowserPortal) -> None:
    """The page says how to report it."""
    code = await site.portal.add_code(site.portal.firm)
    await site.portal.revoke_code(code)
    await phone.goto(f"{site.issuer}/E/{code.code_id}")
    await expect(phone.get_by_role("alert")).to_contain_text("已作废")
    await expect(phone.get_by_role("link", name="拨打 12315 举报")).to_be_visible()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_every_page_fits_its_screen_and_every_target_a_finger(
    chromium: Browser,
    site: BrowserPortal,
    language: str,
    width: int,
) -> None:
    """No horizontal scrolling, targets of at least 44 px, labelled controls, small pages."""
    code = await site.portal.add_code(site.portal.firm)
    firm = site.portal.firm
    await site.portal.add_look(firm, outcome="refused", reason="not_available")
    context = await chromium.new_context(viewport={"width": width, "height": HEIGHT})
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    await page.goto(f"{site.issuer}/portal")
    await sign_in(page)
    await page.goto(f"{site.issuer}/portal?lang={language}")
    for path in (
        "/",
        "/portal",
        f"/portal/enterprises/{firm}/consents",
        f"/portal/enterprises/{firm}/looks",
        f"/portal/enterprises/{firm}/codes",
        f"/portal/codes/{code.code_id}",
        f"/portal/codes/{code.code_id}/revoke",
        f"/E/{code.code_id}",
        (await site.ask()).removeprefix(site.issuer),
        "/portal/signed-out",
    ):
        await page.goto(site.issuer + path)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.evaluate(TOO_SMALL, SMALLEST_TARGET) == [], path
        assert await page.evaluate(UNLABELLED) == [], path
        assert await page.evaluate(LOADED) < FIRST_VIEW_BYTES, path
    assert trouble == []


TOO_SMALL: Final = """least => [...document.querySelectorAll('a, button, summary, input')]
  .filter(each => !['hidden', 'checkbox', 'radio'].includes(each.type) && each.className !== 'skip')
  .map(each => [each.getBoundingClientRect().height, each.outerHTML])
  .filter(([height]) => height > 0 && height < least - 0.5)"""
UNLABELLED: Final = """[...document.querySelectorAll('input:not([type=hidden])')]
  .filter(each => each.labels.length === 0).map(each => each.outerHTML)"""
LOADED: Final = """['navigation', 'resource']
  .flatMap(kind => performance.getEntriesByType(kind))
  .reduce((sum, each) => sum + each.decodedBodySize, 0)"""
