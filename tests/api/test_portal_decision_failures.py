"""Failures on an open decision page, by redirect and by link: a clear page, one decision."""

import asyncio
from datetime import timedelta
from typing import Any, Final

import httpx2
import pytest

from consent import Status
from tests.consent_builders import stored_consents
from tests.portal_fixture import PortalFixture, hidden_fields
from tests.portal_gallery import ask_by_link

WAYS: Final = ("link", "redirect")
GRANT: Final = {"decision": "grant", "dataset": "penalty"}
LAPSED: Final = {
    ("redirect", "zh"): (
        "这个申请已过期",
        "申请页面只保留 30 分钟，没有作出任何授权。如有需要，请回到对方的页面重新申请。",
    ),
    ("redirect", "en"): (
        "This request has expired",
        (
            "A request stays open for 30 minutes. Nothing was granted. If you want to go on, start "
            "again from the organisation’s page."
        ),
    ),
    ("link", "zh"): (
        "这个申请已过期",
        "申请没有在期限内得到答复，没有作出任何授权。如有需要，请对方重新申请。",
    ),
    ("link", "en"): (
        "This request has expired",
        (
            "It was not answered in time. Nothing was granted. If you want to go on, let the "
            "organisation ask again."
        ),
    ),
}
"""Title and sentence, by way and language."""


async def open_request(portal: PortalFixture, way: str, uscc: str | None = None) -> str:
    """URL of a request's decision page."""
    uscc = uscc or portal.firm
    if way == "link":
        return f"/portal/asked/{await ask_by_link(portal, uscc, term=timedelta(minutes=10))}"
    return f"/portal/decide/{await portal.ask(uscc=uscc)}"


async def decided_statuses(portal: PortalFixture) -> list[Any]:
    """The decided consent."""
    async with portal.engine.connect() as connection:
        found = await stored_consents(connection, portal.firm)
    return [each.status for each in found if each.decided_at is not None]


async def form_at(browser: httpx2.AsyncClient, address: str) -> dict[str, str]:
    """Hidden fields of the form."""
    return hidden_fields((await browser.get(address)).text, address)


@pytest.mark.parametrize("stale", ["text", "behind"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_page_whose_words_or_fields_have_changed_decides_nothing(
    portal: PortalFixture, way: str, stale: str
) -> None:
    """The current page is shown again."""
    browser = await portal.signed_in()
    address = await open_request(portal, way)
    form = await form_at(browser, address)
    assert stale in form
    answer = await browser.post(address, data=form | GRANT | {stale: "0" * 64})
    assert answer.status_code == 422
    assert "您阅读期间本页内容有更新" in answer.text
    assert await decided_statuses(portal) == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_page_of_a_session_that_is_over_decides_nothing(
    portal: PortalFixture, way: str
) -> None:
    """After signing out in another tab."""
    browser = await portal.signed_in()
    address = await open_request(portal, way)
    form = await form_at(browser, address)
    out = hidden_fields((await browser.get("/portal")).text, "/portal/sign-out")
    await browser.post("/portal/sign-out", data=out)
    answer = await browser.post(address, data=form | GRANT)
    assert answer.status_code == 403
    assert "您的操作没有执行" in answer.text
    assert await decided_statuses(portal) == []


@pytest.mark.parametrize("way", WAYS)
async def test_a_double_click_decides_once(portal: PortalFixture, way: str) -> None:
    """Both responses lead on."""
    browser = await portal.signed_in()
    address = await open_request(portal, way)
    form = await form_at(browser, address)
    answers = await asyncio.gather(*(browser.post(address, data=form | GRANT) for _ in range(4)))
    assert {each.status_code for each in answers} <= {303, 409}
    assert await decided_statuses(portal) == [Status.ACTIVE]


@pytest.mark.parametrize("way", WAYS)
async def test_the_first_of_two_tabs_decides(portal: PortalFixture, way: str) -> None:
    """The second tab's refusal does not undo the grant."""
    browser = await portal.signed_in()
    address = await open_request(portal, way)
    one, two = await form_at(browser, address), await form_at(browser, address)
    await browser.post(address, data=one | GRANT)
    late = await browser.post(address, data=two | {"decision": "refuse"})
    if late.is_redirect:  # this very browser still has to take its decision back to the bank
        assert late.headers["location"].startswith("/oauth/resume?")
    else:
        assert (late.status_code, "已作出决定" in late.text) == (409, True)
    assert await decided_statuses(portal) == [Status.ACTIVE]


@pytest.mark.parametrize("way", WAYS)
async def test_a_request_that_lapsed_while_it_was_read_decides_nothing(
    portal: PortalFixture, way: str
) -> None:
    """The page says that nothing was granted, and what to do."""
    browser = await portal.signed_in()
    address = await open_request(portal, way)
    form = await form_at(browser, address)
    for _ in range(3):  # in another tab the person goes on, so the session lives
        portal.clock.advance(timedelta(minutes=11))
        assert (await browser.get("/portal")).status_code == 200
    for page in (await browser.post(address, data=form | GRANT), await browser.get(address)):
        assert page.status_code == 410
        assert "没有作出任何授权" in page.text
    assert await decided_statuses(portal) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_lapsed_request_says_what_happened_and_what_to_do(
    portal: PortalFixture, way: str, language: str
) -> None:
    """Opened for the first time after its end: no form, and nothing is requested or granted."""
    address = await open_request(portal, way)
    portal.clock.advance(timedelta(minutes=31))
    browser = await portal.signed_in()
    page = await browser.get(address, params={"lang": language}, follow_redirects=True)
    assert page.status_code == 410
    title, sentence = LAPSED[way, language]
    assert title in page.text
    assert sentence in page.text
    assert f'action="{address}"' not in page.text
    async with portal.engine.connect() as connection:
        found = await stored_consents(connection, portal.firm)
    assert len(found) == (way == "link")
    assert await decided_statuses(portal) == []


@pytest.mark.parametrize("way", WAYS)
async def test_anothers_request_is_not_for_you(portal: PortalFixture, way: str) -> None:
    """Without saying whose it is."""
    browser = await portal.signed_in()
    page = await browser.get(await open_request(portal, way, portal.elsewhere))
    assert page.status_code == 403
    assert "不是发给您的" in page.text
    assert "远航" not in page.text
