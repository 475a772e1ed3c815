"""Reports that a code does not fit its shop: form, bounds, operator's queue, enterprise's view."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from gateway.admin.audit_log import ActContext
from gateway.admin.code_report_decision import decide
from gateway.admin.errors import AdminRefusal
from gateway.admin.operators import Operator
from gateway.codes.reports import serializers, store
from gateway.codes.reports.model import Outcome
from tests.code_reports_builders import rows
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal

FORM = "/E/report"


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running gateway without earlier reports."""
    async with open_portal(migrated_url, tmp_path) as made:
        await rows(made, "TRUNCATE code_report_case, code_report")
        yield made


async def fields_for(browser: httpx2.AsyncClient, code: str) -> dict[str, str]:
    """The fields of a fresh form."""
    page = await browser.get(FORM, params={"code": code})
    assert page.status_code == 200, page.text
    return hidden_fields(page.text) | {"ground": "different_name", "text": ""}


async def report(portal: PortalFixture, code: str, **changed: str) -> httpx2.Response:
    """Send a report about `code`."""
    browser = portal.browser()
    return await browser.post(FORM, data=await fields_for(browser, code) | changed)


async def act(
    portal: PortalFixture, case_id: str, outcome: Outcome, *, revoke: bool = False
) -> str | AdminRefusal:
    """Decide a case."""
    async with portal.engine.begin() as connection:
        context = ActContext(
            connection=connection,
            operator=Operator.at_the_shell("fang"),
            now=portal.clock(),
            datasets=(),
        )
        return await decide(context, case_id, outcome, "查看了现场。", revoke=revoke)


async def test_a_citizen_reports_a_code_without_name_cookie_or_script(
    portal: PortalFixture,
) -> None:
    """The report is counted and kept with its text; the next page says days and 12315."""
    code = await portal.add_code(portal.firm)
    page = await portal.browser().get(FORM, params={"code": code.code_id})
    assert code.code_id in page.text
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers
    assert not re.search(r'type="(tel|email)"|name="(name|phone)"', page.text)
    answer = await report(portal, code.code_id, text="贴在解放路口的小吃店")
    assert (answer.status_code, answer.headers["location"]) == (303, "/E/report/sent")
    assert "set-cookie" not in answer.headers
    thanks = (await portal.browser().get("/E/report/sent")).text
    assert "5 个工作日" in thanks
    assert "12315" in thanks
    assert "页面上也不公布核查结果" in thanks
    assert "这张码会作废" not in thanks
    [case] = await rows(portal, "SELECT * FROM code_report_case")
    assert (case["code_key"], case["uscc"], case["reports"]) == (code.code_id, portal.firm, 1)
    [kept] = await rows(portal, "SELECT ground, text FROM code_report")
    assert kept == {"ground": "different_name", "text": "贴在解放路口的小吃店"}


async def test_a_form_sent_twice_at_once_is_one_report(portal: PortalFixture) -> None:
    """A double tap, concurrently."""
    code = await portal.add_code(portal.firm)
    fields = await fields_for(portal.browser(), code.code_id)
    answers = await asyncio.gather(*(portal.browser().post(FORM, data=fields) for _ in range(4)))
    assert {each.status_code for each in answers} == {303}
    assert [c["reports"] for c in await rows(portal, "SELECT reports FROM code_report_case")] == [1]


async def test_personal_numbers_are_masked_before_they_are_kept(portal: PortalFixture) -> None:
    """R5, in the text and in what was scanned; the citizen is told."""
    code = await portal.add_code(portal.firm)
    answer = await report(portal, code.code_id, text="店主电话13800138000")
    assert answer.headers["location"] == "/E/report/sent?masked=1"
    assert "已隐去" in (await portal.browser().get(answer.headers["location"])).text
    await report(portal, "http://evil.example/13800138000")
    kept = str(await rows(portal, "SELECT text FROM code_report"))
    kept += str(await rows(portal, "SELECT code_key FROM code_report_case"))
    assert "13800138000" not in kept
    assert "evil.example" in kept


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"ground": ""}, 422, "请先选择"),
        ({"ground": "<b>"}, 422, "请先选择"),
        ({"text": "长" * 201}, 422, "最多 200 字"),
    ],
)
async def test_a_mistake_is_said_and_what_was_typed_stays(
    portal: PortalFixture, changed: dict[str, str], status: int, words: str
) -> None:
    """The form comes again with the choices made, and a fresh token that works."""
    code = await portal.add_code(portal.firm)
    answer = await report(portal, code.code_id, **({"text": "解放路"} | changed))
    assert answer.status_code == status
    assert words in answer.text
    assert changed.get("text", "解放路") in answer.text
    good = hidden_fields(answer.text) | {"ground": "covered", "text": "解放路"}
    assert (await portal.browser().post(FORM, data=good)).status_code == 303


async def test_language_and_size_stay_on_the_way(portal: PortalFixture) -> None:
    """By the address alone, through form, mistake and thanks."""
    code = await portal.add_code(portal.firm)
    browser, query = portal.browser(), "?lang=en&size=large"
    page = await browser.get(f"{FORM}{query}&code={code.code_id}")
    assert "What does not fit?" in page.text
    assert f"code={code.code_id}&amp;lang=zh&amp;size=large" in page.text
    fields = hidden_fields(page.text) | {"ground": "other", "text": ""}
    assert f'action="{FORM}?lang=en&amp;size=large"' in page.text
    answer = await browser.post(f"{FORM}{query}", data=fields)
    assert answer.headers["location"] == f"/E/report/sent{query}"


async def test_a_forged_id_can_be_reported_from_its_warning(portal: PortalFixture) -> None:
    """Unknown and malformed: the warning leads to the form, and the case holds what was scanned."""
    for scanned in ("A" * 26, "no-code"):
        warning = await portal.browser().get(f"/E/{scanned}")
        assert f"/E/report?code={scanned}" in warning.text
        assert (await report(portal, scanned)).status_code == 303
    cases = await rows(portal, "SELECT code_key, uscc FROM code_report_case ORDER BY code_key")
    assert cases == [{"code_key": "A" * 26, "uscc": None}, {"code_key": "no-code", "uscc": None}]


async def test_the_place_is_compared_for_valid_codes_in_known_counties(
    portal: PortalFixture,
) -> None:
    """Any other leads back to the code's own page, and a county without a box has no link."""
    code, gone = await portal.add_code(portal.firm), await portal.add_code(portal.firm)
    await portal.revoke_code(gone)
    browser, link = portal.browser(), f"/E/nearby?code={code.code_id}"
    assert link in (await browser.get(f"/E/{code.code_id}")).text
    shown = await browser.get(f"{link}&lang=en")
    assert 'data-box="119.99,30.07,120.19,30.36"' in shown.text
    assert "Xihu, Hangzhou" in shown.text
    assert "connect-src 'none'" in shown.headers["content-security-policy"]
    assert "geolocation=(self)" in shown.headers["permissions-policy"]
    for code_id in (gone.code_id, "A" * 26):
        away = await browser.get(f"/E/nearby?code={code_id}&lang=en")
        assert away.headers["location"] == f"/E/{code_id}?lang=en"
    await rows(
        portal, "UPDATE enterprise SET division = '110101' WHERE uscc = :uscc", uscc=portal.firm
    )
    assert "/E/nearby" not in (await browser.get(f"/E/{code.code_id}")).text
    assert (await browser.get(link)).headers["location"] == f"/E/{code.code_id}"


async def test_a_confirmed_code_is_revoked_logged_and_told(portal: PortalFixture) -> None:
    """The code warns from the next scan; the act has its leaf; the enterprise gets a notice."""
    code = await portal.add_code(portal.firm)
    await report(portal, code.code_id)
    [case] = await rows(portal, "SELECT case_id FROM code_report_case")
    await rows(
        portal,
        "INSERT INTO notice_place (uscc, place_id, channel, link_digest, added_by, added_token_digest,"
        " added_at, confirmed_at) VALUES (:uscc, 'p', 'email', '', '', '', now(), now())",
        uscc=portal.firm,
    )
    assert await act(portal, case["case_id"], Outcome.CONFIRMED, revoke=True) == case["case_id"]
    assert (await portal.browser().get(f"/E/{code.code_id}")).status_code == 410
    [done] = await rows(
        portal, "SELECT operator, what FROM operator_act WHERE subject = :id", id=case["case_id"]
    )
    assert done == {"operator": "shell:fang", "what": "code_report.revoke"}
    notices = await rows(portal, "SELECT kind FROM notice WHERE uscc = :uscc", uscc=portal.firm)
    assert notices == [{"kind": "code_misused"}]
    assert isinstance(await act(portal, case["case_id"], Outcome.DISMISSED), AdminRefusal)
    await report(portal, code.code_id)
    cases = await rows(portal, "SELECT status FROM code_report_case ORDER BY status")
    assert [each["status"] for each in cases] == ["confirmed", "open"]


async def test_only_a_confirmed_code_of_ours_is_revoked(portal: PortalFixture) -> None:
    """Dismissal revokes nothing, and an unknown id has nothing to revoke."""
    code = await portal.add_code(portal.firm)
    await report(portal, code.code_id)
    await report(portal, "B" * 26)
    for key, outcome in ((code.code_id, Outcome.DISMISSED), ("B" * 26, Outcome.CONFIRMED)):
        [case] = await rows(
            portal, "SELECT case_id FROM code_report_case WHERE code_key = :key", key=key
        )
        assert isinstance(await act(portal, case["case_id"], outcome, revoke=True), AdminRefusal)
        assert await act(portal, case["case_id"], outcome) == case["case_id"]
    assert (await portal.browser().get(f"/E/{code.code_id}")).status_code == 200
    assert isinstance(await act(portal, "crc_unknown", Outcome.DISMISSED), AdminRefusal)


async def test_the_enterprise_sees_number_and_outcome_but_no_text(portal: PortalFixture) -> None:
    """In its list and on the code's page."""
    code = await portal.add_code(portal.firm)
    for _ in range(4):
        await report(portal, code.code_id, text="店主秃头")
    browser = await portal.signed_in()
    pages = (f"/portal/codes/{code.code_id}", f"/portal/enterprises/{portal.firm}/codes")
    for path in pages:
        page = (await browser.get(path)).text
        assert "有 3 次以上反映与店铺不符" in page
        assert "秃头" not in page
    [case] = await rows(portal, "SELECT case_id FROM code_report_case")
    await act(portal, case["case_id"], Outcome.CONFIRMED)
    for path in pages:
        assert "经核查被伪造或冒用" in (await browser.get(path)).text


async def test_the_queue_is_paged_newest_first_with_coarse_numbers(portal: PortalFixture) -> None:
    """The cursor is the last case; numbers are lower edges of bands."""
    codes = [await portal.add_code(portal.firm, f"店{n}") for n in range(3)]
    for number, code in enumerate(codes):
        portal.clock.advance(timedelta(hours=1))
        for _ in range(number + 1):
            await report(portal, code.code_id)
    async with portal.engine.connect() as connection:
        options: dict[str, Any] = {"status": "open", "issued": True, "limit": 2}
        first = await store.list_cases(connection, after=None, **options)
        rest = await store.list_cases(connection, after=first[-1]["case_id"], **options)
        assert await store.list_cases(connection, after=None, **options | {"issued": False}) == []
    newest = [each.code_id for each in reversed(codes)]
    assert [each["code_key"] for each in (*first, *rest)] == newest
    shown = serializers.summary(first[0])
    assert shown["reports_at_least"] == 3
    assert shown["grounds"] == [{"ground": "different_name", "at_least": 3}]
    assert shown["due_on"] == "2026-11-27"
