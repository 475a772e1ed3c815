"""Portal sessions: digests in the database, rotation, form tokens."""

import re
from datetime import timedelta
from urllib.parse import unquote

import httpx2
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from gateway.codes.portal import portal_pages
from gateway.identity import kept_forms, sessions
from gateway.portal import sign_in as sign_in_room
from gateway.portal.consents import my_consents
from gateway.portal.consents import redirect_request as decide_room
from tests.consent_builders import stored_consents
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture, hidden_fields, sign_in


async def test_sessions_are_stored_as_digests(portal: PortalFixture) -> None:
    """The cookie value is not stored."""
    browser = await portal.signed_in()
    value = browser.cookies[sessions.cookie_name(portal.runtime.settings)]
    async with portal.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT session::text FROM session"))).scalars().all()
    assert rows
    assert not any(value in row or value.encode().hex() in row for row in rows)


async def test_each_sign_in_makes_a_new_session_and_ends_the_one_before(
    portal: PortalFixture,
) -> None:
    """The old cookie is invalid."""
    browser = await portal.signed_in()
    name = sessions.cookie_name(portal.runtime.settings)
    before = browser.cookies[name]
    assert (await sign_in(browser, "zhang")).status_code == 303
    assert browser.cookies[name] != before
    old = portal.browser()
    old.cookies.set(name, before)
    assert (await old.get("/portal")).status_code == 303
    assert (await browser.get("/portal")).status_code == 200


async def test_a_form_of_an_ended_session_says_so_and_leads_nowhere(portal: PortalFixture) -> None:
    """The form-action of the CSP would block a redirect to a provider."""
    browser = await portal.signed_in()
    page = await browser.get("/portal")
    portal.clock.advance(timedelta(minutes=15))
    answer = await browser.post(
        "/portal/sign-out", data=hidden_fields(page.text, "/portal/sign-out")
    )
    assert answer.status_code == 403
    assert 'href="/portal"' in answer.text


async def lose_session(portal: PortalFixture, browser: httpx2.AsyncClient, address: str) -> str:
    """Post a decision after the session's end; the address that continues it."""
    form = hidden_fields((await browser.get(address)).text, address)
    portal.clock.advance(timedelta(minutes=16))
    answer = await browser.post(
        address, data=form | {"decision": "grant", "dataset": ["penalty"], "max_uses": "7"}
    )
    assert (answer.status_code, "您填写的内容已保留" in answer.text) == (403, True)
    [onward] = re.findall(r'href="/portal/sign-in\?return=([^"]+)"', answer.text)
    return unquote(onward)


async def test_a_request_by_redirect_whose_cookie_is_lost_leads_back_to_its_client(
    portal: PortalFixture,
) -> None:
    """Only the client can begin it again; other forms lead to the start page."""
    browser = portal.browser()
    bank = await browser.post(f"/portal/decide/{await portal.ask()}", data={"decision": "grant"})
    assert (bank.status_code, "请回到银行等申请方的页面，重新开始。" in bank.text) == (403, True)
    assert "请回到首页" not in bank.text
    other = await browser.post("/portal/asked/cst_x", data={"decision": "grant"})
    assert (other.status_code, "请回到首页" in other.text) == (403, True)


async def test_a_form_signed_out_is_not_kept(portal: PortalFixture) -> None:
    """As the documentation says."""
    browser, address = await portal.signed_in(), f"/portal/decide/{await portal.ask()}"
    form = hidden_fields((await browser.get(address)).text, address)
    start = (await browser.get("/portal")).text
    await browser.post("/portal/sign-out", data=hidden_fields(start, "/portal/sign-out"))
    answer = await browser.post(address, data=form | {"decision": "grant", "dataset": ["penalty"]})
    assert (answer.status_code, "您填写的内容已保留" in answer.text) == (403, False)


async def test_a_form_of_an_ended_session_is_continued_once_after_sign_in(
    portal: PortalFixture,
) -> None:
    """By redirect: the same request with what was ticked and typed; meanwhile only encrypted."""
    browser = await portal.signed_in()
    onward = await lose_session(portal, browser, f"/portal/decide/{await portal.ask()}")
    async with portal.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT session::text FROM session"))).scalars().all()
    assert not any("penalty" in row or b"penalty".hex() in row for row in rows)
    back = await sign_in(browser, "zhang", wanted=onward)
    page = (await browser.get(back.headers["location"])).text
    assert re.findall(r'value="(\w+)" checked', page) == ["penalty"]
    assert 'name="max_uses" min="1" value="7"' in page
    assert "已恢复您填写的内容，尚未提交" in page
    again = (await browser.get(onward)).text
    assert ("checked" in again, "已恢复" in again) == (False, False)
    address = onward.partition("?")[0]
    done = await browser.post(
        address, data=hidden_fields(page, address) | {"decision": "grant", "dataset": ["penalty"]}
    )
    assert done.headers["location"].startswith("/oauth/resume")


async def test_a_form_with_files_names_them_after_sign_in(portal: PortalFixture) -> None:
    """What was typed and ticked is there; the files have to be chosen again, and are said to."""
    await portal.add_records(make_record(uscc=portal.firm, record_id="rec_p"))
    browser, address = (
        await portal.signed_in(),
        f"/portal/enterprises/{portal.firm}/records/rec_p/repair",
    )
    form = hidden_fields((await browser.get(address)).text, address)
    portal.clock.advance(timedelta(minutes=16))
    words = {"statement": "已整改。", "commitment": "yes", "names of files": "forged.png"}
    papers = {"papers": ("缴款.png", b"x")}
    lost = await browser.post(address, data=form | words, files=papers)
    assert "证明材料需要重新选择" in lost.text
    back = await sign_in(browser, "zhang", wanted=address)
    page = (await browser.get(back.headers["location"])).text
    assert '需要重新选择：<span class="name">缴款.png</span></p>' in page
    assert ("已整改。</textarea>" in page, "forged.png" in page) == (True, False)
    assert "已恢复您填写的内容，尚未提交" in page


async def test_a_form_of_an_ended_session_is_shown_to_its_person_only(
    portal: PortalFixture,
) -> None:
    """Not to another person at the same browser, nor at another browser of the same person."""
    browser = await portal.signed_in()
    onward = await lose_session(portal, browser, f"/portal/decide/{await portal.ask()}")
    elsewhere = portal.browser()
    await sign_in(elsewhere, "zhang")
    assert "checked" not in (await elsewhere.get(onward)).text
    await sign_in(elsewhere, "zhang")  # an interaction stays with its session
    await sign_in(browser, "li")
    assert "checked" not in (await browser.get(onward)).text
    await sign_in(browser, "zhang")
    assert "checked" not in (await browser.get(onward)).text


async def test_a_form_without_its_token_is_not_continued(portal: PortalFixture) -> None:
    """CSRF: a forged form of an ended session ticks nothing; one from another site is not kept."""
    browser = await portal.signed_in()
    address = f"/portal/decide/{await portal.ask()}"
    form = hidden_fields((await browser.get(address)).text, address)
    forged = form | {"csrf": "0" * 64, "decision": "grant", "dataset": ["penalty"]}
    portal.clock.advance(timedelta(minutes=16))
    strange = await browser.post(address, data=forged, headers={"Sec-Fetch-Site": "cross-site"})
    assert "您填写的内容已保留" not in strange.text
    await browser.post(address, data=forged)
    back = await sign_in(browser, "zhang", wanted=f"{address}?uscc={portal.firm}")
    assert "checked" not in (await browser.get(back.headers["location"])).text


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/portal/consents/c/pause", "/portal/consents/c"),
        ("/portal/consents/c/end-cool-down", "/portal/consents/c"),
        ("/portal/consents/c/narrow", "/portal/consents/c/narrow"),
        ("/portal/enterprises/u/delegates/new/d", "/portal/enterprises/u/delegates/new"),
        ("/portal/enterprises/u/delegates/d/end", "/portal/enterprises/u/delegates/d"),
        ("/portal/enterprises/u/notices/p/remove", "/portal/enterprises/u/notices"),
    ],
)
def test_a_form_is_continued_on_its_page(path: str, page: str) -> None:
    """A form whose address has no page of its own is on the page above."""
    assert kept_forms.page_of(path) == page


async def test_every_form_of_the_portal_asks_for_its_token(portal: PortalFixture) -> None:
    """CSRF: a form without its token is refused at each address."""
    browser = await portal.signed_in()
    decide = f"/portal/decide/{await portal.ask()}"
    form = hidden_fields((await browser.get(decide)).text, decide)
    await browser.post(decide, data=form | {"decision": "grant", "dataset": "penalty"})
    async with portal.engine.connect() as connection:
        consent_id = (await stored_consents(connection, portal.firm))[0].consent_id
    code = await portal.add_code(portal.firm)
    another = f"/portal/decide/{await portal.ask()}"
    await browser.get(another)
    forms = {
        "/portal/sign-out": ["/portal/sign-out"],
        "/portal/decide/{interaction_id}": [another],
        "/portal/consents/{consent_id}/{verb}": [
            f"/portal/consents/{consent_id}/{verb}" for verb in ("withdraw", "pause", "resume")
        ],
        "/portal/codes/{code_id}/revoke": [f"/portal/codes/{code.code_id}/revoke"],
    }
    routers = (sign_in_room.router, decide_room.router, my_consents.router, portal_pages.router)
    takers = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    assert {route.path for route in takers if "POST" in (route.methods or ())} == forms.keys()
    for address in (each for addresses in forms.values() for each in addresses):
        assert (await browser.post(address, data={"csrf": ""})).status_code == 403, address
    assert (await browser.get("/portal")).status_code == 200
