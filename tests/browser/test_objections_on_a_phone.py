"""Objections on a phone without JavaScript: find a record, object, follow it, request a review."""

from datetime import timedelta
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.creditfile.objections import service
from gateway.creditfile.objections.model import Actor, Objection, ObjectionOutcome, Role
from tests.browser.conftest import HEIGHT, BrowserPortal
from tests.browser.test_portal_on_a_phone import (
    FIRST_VIEW_BYTES,
    LOADED,
    SMALLEST_TARGET,
    TOO_SMALL,
    sign_in,
)
from tests.creditfile_builders import make_record
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNLABELLED: Final = """[...document.querySelectorAll('input:not([type=hidden]), textarea')]
  .filter(each => each.labels.length === 0).map(each => each.outerHTML)"""


async def make_file(site: BrowserPortal) -> None:
    """Add a penalty and a rating to the firm's file."""
    decided = (site.portal.clock().date() - timedelta(days=100)).isoformat()
    await site.portal.add_records(
        make_record(
            uscc=site.portal.firm,
            record_id="rec_p",
            violation_type="价格违法",
            fine="9.000000",
            decided_on=decided,
            determined_on=decided,
            published_on=decided,
        ),
        make_record("public_rating", uscc=site.portal.firm, record_id="rec_r"),
    )


async def reject(site: BrowserPortal, objection_id: str) -> None:
    """Let the department reject the objection."""
    runtime = site.portal.runtime
    by = Actor(role=Role.SOURCE, name="client:source", party="source")
    verb = service.source_decision(
        runtime.catalogue,
        actor=by,
        outcome=ObjectionOutcome.REJECTED,
        reasons="处罚决定仍然有效。",
        now=runtime.now(),
    )
    async with runtime.engine.begin() as connection:
        assert isinstance(await service.apply_act(connection, objection_id, verb), Objection)


async def test_an_enterprise_objects_and_asks_for_a_review(
    phone: Page, site: BrowserPortal
) -> None:
    """Objection, rejection and review on the pages, with the mark in portal and public page."""
    await make_file(site)
    await phone.goto(f"{site.issuer}/portal")
    await sign_in(phone)
    await phone.get_by_role("link", name="信用档案").click()
    await phone.get_by_role("link", name="价格违法").click()
    await phone.get_by_role("link", name="提出异议").click()
    await phone.get_by_label("异议内容及理由").fill("复议已撤销。\n电话13800138000")
    await phone.get_by_role("button", name="提交").click()
    await expect(phone.get_by_role("status")).to_contain_text("已隐去")
    await expect(phone.locator("body")).not_to_contain_text("13800138000")
    await expect(phone.get_by_text("电话［已隐去］")).to_be_visible()
    address = phone.url.partition("?")[0]
    code = await site.portal.add_code(site.portal.firm)
    await phone.goto(f"{site.issuer}/E/{code.code_id}")
    await expect(phone.get_by_text("异议处理中").first).to_be_visible()
    await expect(phone.locator("body")).not_to_contain_text("复议已撤销")

    await reject(site, address.rpartition("/")[2])
    await phone.goto(f"{site.issuer}/portal")
    await phone.get_by_role("link", name="1 件异议已有处理决定").click()
    await phone.get_by_role("link", name="行政处罚").click()
    await expect(phone.get_by_text("处罚决定仍然有效。")).to_be_visible()
    await phone.get_by_role("link", name="申请复核").click()
    await phone.get_by_label("不同意处理决定的理由").fill("请看复议决定书。")
    await phone.get_by_role("button", name="申请复核").click()
    await expect(phone.locator(".state")).to_have_text("复核中")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_every_page_about_the_file_fits_its_screen(
    chromium: Browser, site: BrowserPortal, language: str, width: int
) -> None:
    """No horizontal scrolling, targets of at least 44 px, labelled controls, small pages."""
    await make_file(site)
    portal = site.portal
    async with portal.engine.begin() as connection:
        raised = await service.raise_objection(
            connection,
            portal.runtime.catalogue,
            uscc=portal.firm,
            record_id="rec_r",
            text="评价指标有误。" * 20,
            wanted="",
            actor=Actor(role=Role.ENTERPRISE, name="demo:zhang", party=portal.firm),
            now=portal.clock(),
        )
    assert isinstance(raised, Objection)
    context = await chromium.new_context(viewport={"width": width, "height": HEIGHT})
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    await page.goto(f"{site.issuer}/portal")
    await sign_in(page)
    await page.goto(f"{site.issuer}/portal?lang={language}")
    await reject(site, raised.objection_id)
    for path in (
        "/portal",
        f"/portal/enterprises/{portal.firm}/record",
        f"/portal/enterprises/{portal.firm}/record?dataset=penalty",
        f"/portal/enterprises/{portal.firm}/records/rec_p",
        f"/portal/enterprises/{portal.firm}/records/rec_p/object",
        f"/portal/enterprises/{portal.firm}/objections",
        f"/portal/objections/{raised.objection_id}",
        f"/portal/objections/{raised.objection_id}/review",
        f"/portal/objections/{raised.objection_id}/withdraw",
    ):
        response = await page.goto(site.issuer + path)
        assert response is not None
        assert response.status == 200, path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.evaluate(TOO_SMALL, SMALLEST_TARGET) == [], path
        assert await page.evaluate(UNLABELLED) == [], path
        assert await page.evaluate(LOADED) < FIRST_VIEW_BYTES, path
    assert trouble == []
