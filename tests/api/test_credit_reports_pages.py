"""Own credit reports: made in the portal, opened by their address, taken back, and who opened them."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from gateway.credit_reports.document import canonical
from gateway.credit_reports.files import MOST_DRAWINGS, places
from gateway.credit_reports.ids import report_id_of
from gateway.credit_reports.network_limits import STATUSES_PER_TEN_MINUTES
from gateway.disclosure.withdrawal_notices import ChangedRecord, notify_changed_records
from tests.credit_report_builders import make_own_report, post_report, take_back
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture, open_portal

JSON = {"Accept": "application/json"}


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running portal whose firm has a penalty."""
    async with open_portal(migrated_url, tmp_path) as made:
        await made.add_records(replace(make_record("penalty"), uscc=made.firm))
        yield made


async def change_penalty(portal: PortalFixture, change: str, **values: Any) -> None:
    """Change the penalty as ingest does: with its version."""
    statement = f"UPDATE record SET version = version + 1, {change} WHERE uscc = :uscc"  # noqa: S608  # constants
    async with portal.engine.begin() as connection:
        await connection.execute(text(statement), {"uscc": portal.firm, **values})


async def openings(portal: PortalFixture) -> list[Any]:
    """The openings that are written down, in order."""
    async with portal.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT * FROM disclosure WHERE kind = 'report' AND uscc = :uscc ORDER BY at"),
            {"uscc": portal.firm},
        )
        return list(found.all())


async def upload(
    browser: httpx2.AsyncClient, number: str, content: bytes, **options: Any
) -> httpx2.Response:
    """Have a file compared on the report's page."""
    files = {"file": ("report.json", content)}
    return await browser.post(f"/R/{number}/check", files=files, **options)


async def test_who_has_the_address_sees_what_was_chosen_without_signing_in(
    portal: PortalFixture,
) -> None:
    """Whose it is, for whom, until when, its state and records; no cookie, no script, no cache."""
    number = await make_own_report(portal, await portal.signed_in())
    page = await portal.browser().get(f"/R/{number}")
    assert page.status_code == 200, page.text
    for shown in ("杭州云栖数据科技有限公司", portal.firm, "示例银行", "2026-12-22 24:00", "有效"):
        assert shown in page.text
    assert "罚款" in page.text
    assert "未查询到列入" in page.text
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    english = await portal.browser().get(f"/R/{number}?lang=en")
    assert "Valid until" in english.text


async def test_the_signed_document_verifies_and_is_the_same_bytes_each_time(
    portal: PortalFixture,
) -> None:
    """Ed25519 over the canonical report, by the published response key."""
    number = await make_own_report(portal, await portal.signed_in())
    browser = portal.browser()
    first = await browser.get(f"/R/{number}", headers=JSON)
    again = await browser.get(f"/R/{number}/report.json")
    assert first.headers["content-type"] == "application/json"
    assert first.content == again.content
    file = orjson.loads(first.content)
    key = portal.runtime.keys.verifying(file["keyid"], "response")
    assert key is not None
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key.public["x"] + "=="))
    public.verify(base64.urlsafe_b64decode(file["signature"] + "=="), canonical(file["report"]))
    assert file["report"]["address"].endswith(f"/R/{number}")


async def test_each_opening_is_written_down_and_the_enterprise_sees_it(
    portal: PortalFixture,
) -> None:
    """Page and file, no look at the state and no HEAD; in the access history with its recipient."""
    owner = await portal.signed_in()
    number = await make_own_report(portal, owner)
    browser = portal.browser()
    await browser.get(f"/R/{number}")
    await browser.get(f"/R/{number}/report.json")
    status = await browser.get(f"/R/{number}/status.json")
    assert status.json()["status"] == "valid"
    assert (await browser.head(f"/R/{number}")).status_code == 405
    written = await openings(portal)
    assert [each.client_id for each in written] == [report_id_of(number)] * 2
    assert ["rec_1", 1] in written[0].relied_on
    history = (await owner.get(f"/portal/enterprises/{portal.firm}/looks")).text
    assert "示例银行" in history
    assert "打开专项信用报告" in history
    mine = (await owner.get(f"/portal/reports/{report_id_of(number)}")).text
    assert "2 次" in mine


async def test_readers_of_a_report_get_no_notices_of_changes(portal: PortalFixture) -> None:
    """They have no feed: the page is what tells them."""
    number = await make_own_report(portal, await portal.signed_in())
    assert (await portal.browser().get(f"/R/{number}")).status_code == 200
    changed = ChangedRecord(uscc=portal.firm, dataset="penalty", record_id="rec_1")
    async with portal.engine.begin() as connection:
        await notify_changed_records(connection, "record_repaired", [changed], now=portal.clock())
        found = await connection.execute(
            text("SELECT client_id FROM tombstone WHERE uscc = :uscc"), {"uscc": portal.firm}
        )
        assert found.scalars().all() == []


async def test_the_history_as_a_file_names_the_report(portal: PortalFixture) -> None:
    """Each opening with its recipient, and the report's id, which opens nothing."""
    owner = await portal.signed_in()
    number = await make_own_report(portal, owner)
    await portal.browser().get(f"/R/{number}")
    table = (await owner.get(f"/portal/enterprises/{portal.firm}/looks.csv")).text
    assert "示例银行" in table
    assert report_id_of(number) in table
    assert number not in table
    page = await owner.get(f"/portal/enterprises/{portal.firm}/looks?client={report_id_of(number)}")
    assert "打开专项信用报告" in page.text


async def test_a_report_that_was_taken_back_says_so_at_once_and_shows_nothing(
    portal: PortalFixture,
) -> None:
    """Page 410 in red, JSON a problem, a conditional request no exception; nothing more is written."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)
    before = await browser.get(f"/R/{number}")
    assert "etag" not in before.headers
    assert (await take_back(owner, number)).headers["location"].endswith("notice=taken_back")
    assert "已经收回" in (await owner.get(f"/portal/reports/{report_id_of(number)}/take-back")).text
    page = await browser.get(f"/R/{number}", headers={"If-None-Match": "*"})
    assert page.status_code == 410
    assert "不再有效：企业已收回" in page.text
    assert "罚款" not in page.text
    document = await browser.get(f"/R/{number}", headers=JSON)
    assert (document.status_code, document.json()["code"]) == (410, "report_taken_back")
    assert len(await openings(portal)) == 1
    async with portal.engine.connect() as connection:
        held = await connection.execute(
            text("SELECT file FROM credit_report WHERE uscc = :uscc"), {"uscc": portal.firm}
        )
        assert held.scalars().all() == [None]


@pytest.mark.parametrize(
    "change",
    ["repaired_at = :now", "suspended_at = :now", "withdrawn_at = :now", "decided_on = decided_on"],
)
async def test_a_change_of_a_record_in_it_ends_it_from_the_next_request_on(
    portal: PortalFixture, change: str
) -> None:
    """Repair, suspension, withdrawal, correction."""
    number = await make_own_report(portal, await portal.signed_in())
    values = {"now": portal.clock() - timedelta(seconds=1)} if ":now" in change else {}
    await change_penalty(portal, change, **values)
    page = await portal.browser().get(f"/R/{number}")
    assert page.status_code == 410
    assert "不再有效：所载信息已变更" in page.text
    assert "罚款" not in page.text
    assert not await openings(portal)


async def test_a_new_record_of_the_chosen_kinds_makes_it_valid_as_of_its_date(
    portal: PortalFixture,
) -> None:
    """And one of another kind says nothing of it."""
    number = await make_own_report(portal, await portal.signed_in())
    browser, status = portal.browser(), f"/R/{number}/status.json"
    other = make_record("inspection", record_id="rec_other")
    await portal.add_records(replace(other, uscc=portal.firm))
    assert (await browser.get(status)).json()["status"] == "valid"
    new = make_record("penalty", record_id="rec_2", document_number="浙市监罚〔2026〕0002号")
    await portal.add_records(replace(new, uscc=portal.firm))
    assert (await browser.get(status)).json()["status"] == "newer_records"
    page = await browser.get(f"/R/{number}")
    assert page.status_code == 200
    assert "其后有新的信息" in page.text
    assert "0002号" not in page.text


async def test_it_ends_with_its_term_and_with_the_clock_of_a_record(portal: PortalFixture) -> None:
    """The penalty's publicity ends first (a year after its decision), or the report's term."""
    owner = await portal.signed_in()
    number = await make_own_report(portal, owner, days="7")
    portal.clock.advance(timedelta(days=8))
    page = await portal.browser().get(f"/R/{number}")
    assert page.status_code == 410
    assert "不再有效：已过有效期" in page.text


async def test_a_changed_name_or_registration_status_ends_it(portal: PortalFixture) -> None:
    """Also where the registration is no part of it."""
    owner = await portal.signed_in()
    number = await make_own_report(portal, owner, dataset=["penalty"])
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE enterprise SET status = 'deregistered' WHERE uscc = :uscc"),
            {"uscc": portal.firm},
        )
    assert (await portal.browser().get(f"/R/{number}")).status_code == 410
    refused = await post_report(portal, owner, dataset=["penalty"])
    assert refused.status_code == 422
    assert "已注销" in refused.text


async def test_a_file_is_compared_byte_for_byte(portal: PortalFixture) -> None:
    """The issued one is the same, one with a changed byte is not; also after it was taken back."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)
    file = (await browser.get(f"/R/{number}/report.json")).content
    same = await upload(browser, number, file)
    assert "一致：这就是签发的文件" in same.text
    assert "罚款" not in same.text
    for place in range(0, len(file), len(file) // 20):
        forged = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        assert "不一致" in (await upload(browser, number, forged)).text
    assert len(await openings(portal)) == 1
    await take_back(owner, number)
    late = await upload(browser, number, file)
    assert late.status_code == 410
    assert "一致：这就是签发的文件" in late.text


async def test_a_slow_upload_is_answered_with_the_state_at_its_end(portal: PortalFixture) -> None:
    """A report that is taken back while its file arrives is not called valid."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)

    async def arriving() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="r.json"\r\n\r\n{'
        await take_back(owner, number)
        yield b"}\r\n--b--\r\n"

    content_type = {"Content-Type": "multipart/form-data; boundary=b"}
    page = await browser.post(f"/R/{number}/check", content=arriving(), headers=content_type)
    assert page.status_code == 410
    assert "不再有效：企业已收回" in page.text
    assert "不一致" in page.text


async def test_the_pdf_is_found_to_be_what_was_issued(portal: PortalFixture) -> None:
    """By its address and in the portal, the same bytes; the enterprise's own downloads are no openings."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)
    own = await owner.get(f"/portal/reports/{report_id_of(number)}/report.pdf")
    document = await owner.get(f"/portal/reports/{report_id_of(number)}/report.json")
    assert own.headers["content-type"] == "application/pdf"
    assert document.content in own.content
    assert not await openings(portal)
    pdf = (await browser.get(f"/R/{number}/report.pdf")).content
    assert pdf == own.content
    assert "一致：这就是签发的文件" in (await upload(browser, number, pdf)).text
    forged = pdf[:-2] + bytes([pdf[-2] ^ 1]) + pdf[-1:]
    assert "不一致" in (await upload(browser, number, forged)).text
    assert len(await openings(portal)) == 1


async def test_a_pdf_that_was_drawn_is_served_again_until_the_report_is_taken_back(
    portal: PortalFixture,
) -> None:
    """Here with no place for a drawing; each time it is decided anew whether the report is shown."""
    owner, browser = await portal.signed_in(), portal.browser()
    number = await make_own_report(portal, owner)
    pdf = (await browser.get(f"/R/{number}/report.pdf")).content
    async with AsyncExitStack() as taken:
        for _ in range(MOST_DRAWINGS):
            await taken.enter_async_context(places)
        assert (await browser.get(f"/R/{number}/report.pdf")).content == pdf
        await take_back(owner, number)
        gone = await browser.get(f"/R/{number}/report.pdf")
    assert (gone.status_code, gone.headers["content-type"][:9]) == (410, "text/html")
    assert len(await openings(portal)) == 2


async def test_nothing_is_told_of_an_id_that_is_no_report(portal: PortalFixture) -> None:
    """Unknown, malformed, and another enterprise's in the portal: the same pages; too many are refused."""
    browser = portal.browser()
    unknown = await browser.get(f"/R/{'A' * 26}")
    malformed = await browser.get("/R/x")
    assert unknown.status_code == malformed.status_code == 404
    assert re.sub("/R/[A-Zx]+", "", unknown.text) == re.sub("/R/[A-Zx]+", "", malformed.text)
    for _ in range(1_000):
        last = await browser.get(f"/R/{'B' * 26}")
        if last.status_code != 404:
            break
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) > 0


async def test_a_network_that_asks_for_a_state_without_end_has_to_wait(
    portal: PortalFixture,
) -> None:
    """Each state is computed from the file."""
    number = await make_own_report(portal, await portal.signed_in())
    browser = portal.browser()
    for _ in range(2 * STATUSES_PER_TEN_MINUTES):
        last = await browser.get(f"/R/{number}/status.json", headers=JSON)
        if last.status_code != 200:
            break
    assert (last.status_code, last.json()["code"]) == (429, "rate_limited")
    assert int(last.headers["retry-after"]) > 0
    assert (await browser.get(f"/R/{number}")).status_code == 200


async def test_a_report_is_its_enterprises_alone(portal: PortalFixture) -> None:
    """Another's representative gets the 404 page for each of its pages, and cannot take it back."""
    number = await make_own_report(portal, await portal.signed_in())
    stranger = await portal.signed_in("wang")
    for page in ("", "/take-back", "/qr.svg", "/report.json"):
        assert (
            await stranger.get(f"/portal/reports/{report_id_of(number)}{page}")
        ).status_code == 404
    at = f"/portal/enterprises/{portal.firm}/reports"
    assert (await stranger.get(at)).status_code == 404
    assert (await stranger.get(f"{at}/new")).status_code == 404
    forged = await stranger.post(
        f"/portal/reports/{report_id_of(number)}/take-back", data={"csrf": "x"}
    )
    assert forged.status_code == 403
    assert (await portal.browser().get(f"/R/{number}")).status_code == 200


async def test_the_same_form_posted_twice_makes_one_report(portal: PortalFixture) -> None:
    """And a file that changed since the preview is previewed again."""
    owner = await portal.signed_in()
    number = await make_own_report(portal, owner)
    page = await owner.get(f"/portal/enterprises/{portal.firm}/reports")
    assert page.text.count("/portal/reports/") == 1
    assert report_id_of(number) in page.text


async def test_html_in_a_recipient_is_refused_and_a_name_is_shown_as_text(
    portal: PortalFixture,
) -> None:
    """Symbols, numbers of persons and addresses stand on no report."""
    owner = await portal.signed_in()
    for recipient in ("<b>银行</b>", "13800138000", "www.bank.com", "张" * 61):
        refused = await post_report(portal, owner, recipient=recipient)
        assert refused.status_code == 422, recipient
        assert "出具对象" in refused.text
    nobody = await make_own_report(portal, owner, recipient="")
    assert "持有链接或二维码的任何人" in (await portal.browser().get(f"/R/{nobody}")).text
