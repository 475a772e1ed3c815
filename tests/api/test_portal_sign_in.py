"""Sign-in with the demo provider: sessions, limits, tickets, language, demo-only use."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from gateway.background.housekeeping import delete_sessions
from gateway.identity.demo_provider import DemoProvider
from gateway.identity.sessions import CONTINUED_WITHIN
from gateway.identity.tables import SessionRow
from gateway.settings import Settings, SettingsError
from tests.portal_fixture import (
    PASSWORD,
    PortalFixture,
    hidden_fields,
    query_of,
    sign_in,
)


async def test_a_page_of_the_portal_asks_for_sign_in_and_comes_back_to_itself(
    portal: PortalFixture,
) -> None:
    """The person returns to the requested page."""
    browser = portal.browser()
    wanted = f"/portal/enterprises/{portal.firm}/looks"
    asked = await browser.get(wanted)
    assert asked.status_code == 303
    assert query_of(asked.headers["location"]) == {"return": [wanted]}
    back = await sign_in(browser, "zhang", wanted=wanted)
    assert back.headers["location"] == wanted
    assert (await browser.get(wanted)).status_code == 200


async def test_a_wrong_password_and_an_unknown_name_get_the_same_page(
    portal: PortalFixture,
) -> None:
    """Accounts cannot be enumerated."""
    answers = [
        await sign_in(portal.browser(), username, password)
        for username, password in (("zhang", "wrong"), ("nobody-here", PASSWORD))
    ]
    assert {answer.status_code for answer in answers} == {422}
    told = [answer.text.partition('role="alert">')[2].partition("<")[0] for answer in answers]
    assert told[0] == told[1] != ""


async def test_five_wrong_passwords_make_a_name_wait(portal: PortalFixture) -> None:
    """The right password waits too."""
    for _ in range(5):
        assert (await sign_in(portal.browser(), "zhang", "wrong")).status_code == 422
    assert (await sign_in(portal.browser(), "zhang")).status_code == 429
    portal.clock.advance(timedelta(minutes=5))
    assert (await sign_in(portal.browser(), "zhang")).status_code == 303


async def test_a_session_ends_after_fifteen_idle_minutes(portal: PortalFixture) -> None:
    """Each request prolongs it."""
    browser = await portal.signed_in()
    for _ in range(3):
        portal.clock.advance(timedelta(minutes=14))
        assert (await browser.get("/portal")).status_code == 200
    portal.clock.advance(timedelta(minutes=15))
    assert (await browser.get("/portal")).status_code == 303


async def test_a_session_ends_after_eight_hours_however_busy(portal: PortalFixture) -> None:
    """Regardless of activity."""
    browser = await portal.signed_in()
    for _ in range(34):
        portal.clock.advance(timedelta(minutes=14))
        assert (await browser.get("/portal")).status_code == 200
    portal.clock.advance(timedelta(minutes=4))
    assert (await browser.get("/portal")).status_code == 303


async def test_ended_sessions_are_deleted_in_the_background(portal: PortalFixture) -> None:
    """Once a form of theirs can be continued no more; sign-in, which would read them all, deletes none."""
    first = await portal.signed_in()
    digest = portal.runtime.digests.of("session", first.cookies["xinqiao"])
    portal.clock.advance(timedelta(minutes=15) + CONTINUED_WITHIN)
    await portal.signed_in()
    found = []
    for _ in range(2):
        async with portal.engine.connect() as connection:
            kept = await connection.execute(
                select(col(SessionRow.digest)).where(col(SessionRow.digest) == digest),
            )
        found.append(kept.scalar_one_or_none())
        await delete_sessions(portal.runtime)
    assert found == [digest, None]


async def test_sign_out_ends_the_session_at_the_server(portal: PortalFixture) -> None:
    """A copied cookie is refused."""
    browser = await portal.signed_in()
    copied = dict(browser.cookies)
    page = await browser.get("/portal")
    left = await browser.post("/portal/sign-out", data=hidden_fields(page.text, "/portal/sign-out"))
    assert left.headers["location"] == "/portal/signed-out"
    thief = portal.browser()
    thief.cookies.update(copied)
    assert (await thief.get("/portal")).status_code == 303


async def test_a_ticket_is_good_once_and_for_a_minute(portal: PortalFixture) -> None:
    """Single-use, for a minute."""
    for wait in (timedelta(), timedelta(seconds=60)):
        browser = portal.browser()
        begun = await browser.get("/portal/sign-in")
        page = await browser.get(begun.headers["location"])
        form = hidden_fields(page.text) | {"username": "zhang", "password": PASSWORD}
        ticket = (await browser.post("/demo-identity/sign-in", data=form)).headers["location"]
        kept = dict(browser.cookies)
        portal.clock.advance(wait)
        first = await browser.get(ticket)
        assert first.status_code == (303 if not wait else 400)
        browser.cookies.clear()
        browser.cookies.update(kept)
        assert (await browser.get(ticket)).status_code == 400


async def test_the_page_is_chinese_until_its_reader_asks_for_english(portal: PortalFixture) -> None:
    """The choice is stored in a cookie."""
    browser = portal.browser()
    assert '<html lang="zh-CN">' in (await browser.get("/")).text
    assert '<html lang="en">' in (await browser.get("/?lang=en")).text
    assert '<html lang="en">' in (await browser.get("/")).text


async def test_the_demo_provider_does_not_start_outside_the_demo(
    portal: PortalFixture,
    tmp_path: Path,
) -> None:
    """Start-up is refused."""
    settings = Settings.model_validate(
        {
            **portal.runtime.settings.model_dump(),
            "issuer": "https://credit.example.cn",
            "demo": False,
            "secret": "s" * 32,
            "demo_people": tmp_path / "people",
        }
    )
    with pytest.raises(SettingsError, match="XINQIAO_DEMO"):
        DemoProvider(settings, now=portal.clock)


async def test_accounts_that_others_can_read_are_refused(
    portal: PortalFixture, tmp_path: Path
) -> None:
    """The file of accounts must have mode 0600."""
    (tmp_path / "people").chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        DemoProvider(portal.runtime.settings, now=portal.clock)
