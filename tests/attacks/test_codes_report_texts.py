"""Hostile texts in reports and in scanned addresses: data wherever they are shown."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
import pytest_asyncio

from gateway.cli.printing import print_members
from gateway.codes.reports import serializers, store
from tests.code_reports_builders import FORM, fields_for, report, rows
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal

HOSTILE: Final = '<script>alert(1)</script>"\x1b[31m\u202e[red]{{7*7}}=cmd()'


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running gateway behind a trusted proxy, without earlier reports."""
    async with open_portal(migrated_url, tmp_path, trusted_proxies="127.0.0.1") as made:
        await rows(made, "TRUNCATE code_report_case, code_report")
        yield made


async def test_no_address_writes_on_the_official_page(portal: PortalFixture) -> None:
    """The form shows ids alone; any other text stays in its hidden field, and out of the queue."""
    lure = "请加微信退款"
    page = (await portal.browser().get(FORM, params={"code": lure})).text
    assert "您扫的不是企业码" in page
    assert hidden_fields(page)["code"] == lure
    assert lure not in page.replace(f'value="{lure}"', "").replace(quote(lure), "")
    await report(portal, lure)
    async with portal.engine.connect() as connection:
        [listed] = await store.list_cases(
            connection, status=None, issued=None, after=None, limit=10
        )
        case = await store.find_case(connection, listed["case_id"])
    assert case is not None
    assert serializers.summary(listed)["scanned"] is None
    assert serializers.full_document(case, [])["scanned"] == lure


async def test_hostile_text_is_data_wherever_it_is_shown(
    portal: PortalFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the form, the operator's JSON and command, and the portal."""
    code = await portal.add_code(portal.firm)
    assert (await report(portal, code.code_id, text=HOSTILE)).status_code == 303
    assert (await report(portal, HOSTILE, 2, text=HOSTILE)).status_code == 303
    page = await portal.browser().get(FORM, params={"code": HOSTILE})
    again = await report(portal, HOSTILE, 3, text=HOSTILE, ground="")
    assert again.status_code == 422
    warning = await portal.browser().get("/E/", params={"code": HOSTILE})
    for shown in (page, again, warning):
        assert "<script>alert" not in shown.text
        assert "49=cmd" not in shown.text
    browser = await portal.signed_in()
    for path in (f"/portal/codes/{code.code_id}", f"/portal/enterprises/{portal.firm}/codes"):
        assert "alert(1)" not in (await browser.get(path)).text
    async with portal.engine.connect() as connection:
        for listed in await store.list_cases(
            connection, status=None, issued=None, after=None, limit=10
        ):
            case = await store.find_case(connection, listed["case_id"])
            assert case is not None
            texts = await store.texts_of(connection, case["case_id"])
            document = json.loads(json.dumps(serializers.full_document(case, texts)))
            assert document["reports"][0]["text"].startswith("<script>alert(1)</script>")
            print_members(document)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "[red]" in printed


async def test_no_header_is_written_by_an_address(portal: PortalFixture) -> None:
    """Line breaks and foreign addresses in queries change no header."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    fields = await fields_for(browser, code.code_id)
    query = {"lang": "en\r\nSet-Cookie: a=b", "size": "//evil.example", "code": "a\r\nX: y"}
    answer = await browser.post(FORM, params=query, data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/E/report/sent")
    for path in ("/E/nearby", "/E/how", FORM, "/E/report/sent"):
        shown = await browser.get(path, params=query)
        assert "set-cookie" not in shown.headers
        assert "x" not in shown.headers
        assert shown.headers.get("location", "/E/") == "/E/"


async def test_the_phrase_is_compared_by_eye_alone(portal: PortalFixture) -> None:
    """A phrase in an address changes no answer, so that none can be guessed."""
    code = await portal.add_code(portal.firm)
    for path in (f"/E/{code.code_id}", "/E/", f"/E/{'A' * 26}"):
        plain = await portal.browser().get(path)
        for guess in (code.check_phrase, "青山 青山"):
            tried = await portal.browser().get(
                path, params={"phrase": guess, "check_phrase": guess}
            )
            assert (tried.status_code, len(tried.text)) == (plain.status_code, len(plain.text))
