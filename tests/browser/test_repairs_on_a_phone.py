"""Repair on a phone without JavaScript: from which day, apply with a picture, follow the decision."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from gateway.creditfile.history import Change, mark_record
from gateway.creditfile.objections.model import Actor, Role
from gateway.creditfile.repairs import service, store
from gateway.creditfile.repairs.model import PlatformFollowed, RepairApplication
from tests.browser.conftest import HEIGHT, BrowserPortal
from tests.browser.page_visits import keep_picture
from tests.browser.test_objections_on_a_phone import UNLABELLED
from tests.browser.test_portal_on_a_phone import (
    FIRST_VIEW_BYTES,
    LOADED,
    SMALLEST_TARGET,
    TOO_SMALL,
    sign_in,
)
from tests.creditfile_builders import make_record
from tests.repair_builders import apply_for_repair
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")
REASONS: Final = {
    "suspended": "法院裁定受理重整，按裁定中止公示。",
    "reinstated": "重整程序终结，恢复公示。",
    "repaired": "同意修复。",
    "repair_revoked": "缴款凭证系伪造，撤销修复决定。",
}
REASON: Final = "罚款已缴清，现场复查合格，同意修复。"


async def make_file(site: BrowserPortal, *record_ids: str) -> None:
    """Add penalties of the firm that can be repaired."""
    decided = (site.portal.clock().date() - timedelta(days=150)).isoformat()
    await site.portal.add_records(
        *(
            make_record(
                uscc=site.portal.firm,
                record_id=each,
                document_number=f"杭西市监处罚〔2026〕{number}号",
                violation_type="未按规定明码标价",
                authority="杭州市西湖区市场监督管理局",
                fine="0.900000",
                decided_on=decided,
                determined_on=decided,
                published_on=decided,
            )
            for number, each in enumerate(record_ids, 107)
        )
    )


async def make_later(site: BrowserPortal) -> None:
    """A suspended record, one told again, a revoked repair, one too early, and a listing."""
    now, firm = site.portal.clock(), site.portal.firm
    recent = (now.date() - timedelta(days=20)).isoformat()
    await site.portal.add_records(
        make_record(
            uscc=firm,
            record_id="rec_new",
            document_number="杭西市监处罚〔2026〕200号",
            decided_on=recent,
            determined_on=recent,
            published_on=recent,
        ),
        make_record("abnormal_listing", uscc=firm, record_id="rec_list", reason="未按期年报"),
    )
    for record_id, column, *kinds in (
        ("rec_s", "suspended_at", "suspended"),
        ("rec_t", "suspended_at", "suspended", "reinstated"),
        ("rec_u", "repaired_at", "repaired", "repair_revoked"),
    ):
        for kind in kinds:
            mark = now if kind in {"suspended", "repaired"} else None
            change = Change(kind=kind, actor="source", reason=REASONS[kind], decided_on=now.date())
            async with site.portal.engine.begin() as connection:
                await mark_record(connection, firm, record_id, {column: mark}, change, now=now)


async def accept(site: BrowserPortal, application_id: str) -> None:
    """Let the department accept the application, and one platform follow."""
    now = site.portal.clock()
    async with site.portal.engine.begin() as connection:
        found = await store.by_id(connection, application_id)
        assert found is not None
        change = Change(
            kind="repaired", actor=found.source_id, reason=REASON, decided_on=now.date()
        )
        await mark_record(
            connection, found.uscc, found.record_id, {"repaired_at": now}, change, now=now
        )
        done = await service.record_decision(
            connection,
            found,
            actor=Actor(role=Role.SOURCE, name=f"client:{found.source_id}", party=found.source_id),
            accepted=True,
            reason=REASON,
            now=now,
        )
        followed = PlatformFollowed(platform="gsxt", followed_on=now.date())
        await store.put_platform(connection, found.uscc, found.record_id, followed, now=now)
    assert isinstance(done, RepairApplication)


async def test_an_enterprise_applies_for_a_repair_and_follows_it(
    phone: Page, site: BrowserPortal, tmp_path: Path
) -> None:
    """From the record to the decision: a picture is chosen, its digest shown; a platform followed."""
    await make_file(site, "rec_p")
    picture = tmp_path / "缴款凭证.png"
    picture.write_bytes(b"\x89PNG" + b"x" * 200_000)
    await phone.goto(f"{site.issuer}/portal")
    await sign_in(phone)
    await phone.get_by_role("link", name="信用档案").click()
    await phone.get_by_role("link", name="明码标价").click()
    await expect(phone.get_by_text("10 个工作日内决定")).to_be_visible()
    await expect(phone.get_by_text("最短公示期已满")).to_be_visible()
    await phone.get_by_role("link", name="申请信用修复").click()
    await phone.get_by_label("改正情况和义务履行情况").fill("罚款已于6月3日缴清。\n电话13800138000")
    await phone.get_by_label("证明材料").set_input_files(picture)
    await phone.get_by_label("我代表").check()
    await phone.get_by_role("button", name="提交申请").click()
    await expect(phone.get_by_role("status")).to_contain_text("已隐去")
    await expect(phone.locator("body")).not_to_contain_text("13800138000")
    await expect(phone.get_by_text("缴款凭证.png")).to_be_visible()
    await expect(phone.get_by_text("SHA-256")).to_be_visible()
    await expect(phone.locator(".due")).to_contain_text("办理期限至")

    await accept(site, phone.url.partition("?")[0].rpartition("/")[2])
    await phone.reload()
    await expect(phone.get_by_text(REASON)).to_be_visible()
    await phone.get_by_role("link", name="查看这条记录").click()
    repair = phone.locator("#repair")
    await expect(repair).to_contain_text("已修复")
    await expect(repair).to_contain_text("已同步")
    await expect(repair.get_by_text("尚未同步")).to_have_count(3)
    await expect(phone.get_by_role("link", name="申请信用修复")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_every_page_about_a_repair_fits_its_screen(
    chromium: Browser, site: BrowserPortal, language: str, width: int
) -> None:
    """No horizontal scrolling, targets of at least 44 px, labelled controls, small pages."""
    await make_file(site, "rec_p", "rec_q", "rec_r", "rec_s", "rec_t", "rec_u")
    await make_later(site)
    firm = site.portal.firm
    made = await apply_for_repair(site.portal, firm, "rec_q", now=site.portal.clock())
    done = await apply_for_repair(site.portal, firm, "rec_r", now=site.portal.clock())
    await accept(site, done.application_id)
    context = await chromium.new_context(viewport={"width": width, "height": HEIGHT})
    context.set_default_timeout(1000 * PATIENCE)
    page = await context.new_page()
    await page.goto(f"{site.issuer}/portal")
    await sign_in(page)
    await page.goto(f"{site.issuer}/portal?lang={language}")
    for name, path in {
        "repairable": f"/portal/enterprises/{firm}/records/rec_p",
        "applied": f"/portal/enterprises/{firm}/records/rec_q",
        "repaired": f"/portal/enterprises/{firm}/records/rec_r",
        "suspended": f"/portal/enterprises/{firm}/records/rec_s",
        "lifted": f"/portal/enterprises/{firm}/records/rec_t",
        "revoked": f"/portal/enterprises/{firm}/records/rec_u",
        "too early": f"/portal/enterprises/{firm}/records/rec_new",
        "listed": f"/portal/enterprises/{firm}/records/rec_list",
        "form": f"/portal/enterprises/{firm}/records/rec_p/repair",
        "list": f"/portal/enterprises/{firm}/repairs",
        "application": f"/portal/repairs/{made.application_id}",
        "accepted": f"/portal/repairs/{done.application_id}",
        "withdraw": f"/portal/repairs/{made.application_id}/withdraw",
    }.items():
        response = await page.goto(site.issuer + path)
        assert response is not None
        assert response.status == 200, path
        await keep_picture(page, f"repair-{language}-{width}-{name}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.evaluate(TOO_SMALL, SMALLEST_TARGET) == [], path
        assert await page.evaluate(UNLABELLED) == [], path
        assert await page.evaluate(LOADED) < FIRST_VIEW_BYTES, path
