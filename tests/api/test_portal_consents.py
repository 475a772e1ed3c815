"""Consent pages: list, withdraw, pause, resume; access history summary."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import insert, text

from consent import Act, Status, Transition, narrow, store
from gateway.disclosure import consent_log_writer
from gateway.disclosure.tables import TurnedAwayRow
from tests.consent_builders import make_person
from tests.portal_fixture import PortalFixture, hidden_fields
from tests.portal_steps import grant_consent
from tests.waiting import lock_waits


async def status_of(portal: PortalFixture, consent_id: str) -> Status:
    """The consent's status."""
    async with portal.engine.connect() as connection:
        found = await store.by_id(connection, consent_id)
    assert found is not None
    return found.status


async def press(browser: httpx2.AsyncClient, page: str, action: str) -> httpx2.Response:
    """Open `page` and submit the form that posts to `action`."""
    shown = (await browser.get(page)).text
    return await browser.post(action, data=hidden_fields(shown, action))


async def test_a_consent_is_withdrawn_in_two_taps(portal: PortalFixture) -> None:
    """The withdrawal holds at once."""
    browser = await portal.signed_in()
    address = f"/portal/consents/{await grant_consent(portal, browser)}"
    assert f'href="{address}/withdraw"' in (await browser.get(address)).text
    done = await press(browser, f"{address}/withdraw", f"{address}/withdraw")
    assert done.status_code == 303
    assert await status_of(portal, address.rpartition("/")[2]) is Status.WITHDRAWN
    assert "已撤回" in (await browser.get(done.headers["location"])).text


async def test_its_client_gets_a_notice_of_a_withdrawal(portal: PortalFixture) -> None:
    """Once, though submitted twice; pausing gives none."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}"
    withdrawing = (await browser.get(f"{address}/withdraw")).text
    await press(browser, address, f"{address}/pause")
    for _ in range(2):
        form = hidden_fields(withdrawing, f"{address}/withdraw")
        await browser.post(f"{address}/withdraw", data=form)
    async with portal.engine.connect() as connection:
        found = (
            await connection.execute(
                text(
                    "SELECT client_id, kind, disclosure_ids FROM tombstone"
                    " WHERE uscc = :uscc AND consent_id = :consent_id"
                    " ORDER BY kind"
                ),
                {"uscc": portal.firm, "consent_id": consent_id},
            )
        ).all()
    assert [tuple(each) for each in found] == [
        (portal.bank, "consent_granted", []),
        (portal.bank, "consent_withdrawn", []),
    ]


async def test_a_consent_is_paused_and_resumed(portal: PortalFixture) -> None:
    """The history lists both."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}"
    await press(browser, address, f"{address}/pause")
    assert await status_of(portal, consent_id) is Status.PAUSED
    await press(browser, address, f"{address}/resume")
    assert await status_of(portal, consent_id) is Status.ACTIVE
    page = (await browser.get(address)).text
    for words in ("您同意授权", "您暂停了授权", "您恢复了授权"):
        assert words in page


async def test_a_withdrawal_from_a_stale_page_changes_nothing(portal: PortalFixture) -> None:
    """Two tabs withdraw once; the second shows the state."""
    browser = await portal.signed_in()
    address = f"/portal/consents/{await grant_consent(portal, browser)}"
    form = hidden_fields((await browser.get(f"{address}/withdraw")).text, f"{address}/withdraw")
    first = await browser.post(f"{address}/withdraw", data=form)
    second = await browser.post(f"{address}/withdraw", data=form)
    assert first.headers["location"].endswith("notice=withdraw")
    assert second.headers["location"].endswith("notice=too_late")


@pytest.mark.parametrize(
    ("verb", "ends"), [("withdraw", Status.WITHDRAWN), ("pause", Status.PAUSED)]
)
async def test_a_change_at_the_same_moment_does_not_stop_a_withdrawal(
    portal: PortalFixture, verb: str, ends: Status
) -> None:
    """The withdrawal is repeated on the changed consent."""
    browser = await portal.signed_in()
    consent_id = await grant_consent(portal, browser)
    address = f"/portal/consents/{consent_id}"
    page = f"{address}/withdraw" if verb == "withdraw" else address
    form = hidden_fields((await browser.get(page)).text, f"{address}/{verb}")
    async with portal.engine.begin() as connection:
        held = await store.by_id(connection, consent_id)
        assert held is not None
        fewer = narrow(
            held,
            scope=replace(held.scope, max_uses=3),
            person=make_person(held.uscc),
            now=portal.clock(),
        )
        assert isinstance(fewer, Transition)
        assert await consent_log_writer.save(connection, held, fewer)
        pressed = asyncio.create_task(browser.post(f"{address}/{verb}", data=form))
        await lock_waits(portal.engine)
    done = await pressed
    assert done.headers["location"] == f"{address}?notice={verb}"
    async with portal.engine.connect() as connection:
        after = await store.by_id(connection, consent_id)
        events = await store.events_of(connection, held.uscc, consent_id)
    assert after is not None
    assert (after.status, after.max_uses) == (ends, 3)
    assert [each.what for each in events[-2:]] == [Act.AMENDED, events[-1].what]


async def test_the_list_shows_what_runs_and_what_has_ended(portal: PortalFixture) -> None:
    """Expired consents show as such without a job."""
    browser = await portal.signed_in()
    await grant_consent(portal, browser)
    listed = f"/portal/enterprises/{portal.firm}/consents"
    assert "进行中" in (await browser.get(listed)).text
    portal.clock.advance(timedelta(days=181))
    browser = await portal.signed_in()
    page = (await browser.get(listed)).text
    assert "已到期" in page
    assert "进行中</h2>" not in page


async def test_an_ended_consent_tells_since_when_and_how_it_ended(portal: PortalFixture) -> None:
    """A withdrawn one, and one whose uses are used up, by its last disclosure."""
    browser = await portal.signed_in()
    first = await grant_consent(portal, browser)
    at = f"/portal/consents/{first}/withdraw"
    await press(browser, at, at)
    portal.clock.advance(timedelta(minutes=1))
    second = await grant_consent(portal, browser)
    used = portal.clock() + timedelta(days=3)
    await portal.add_look(portal.firm, consent_id=second, at=used)
    await portal.add_look(
        portal.firm, consent_id=second, at=used + timedelta(days=1), outcome="refused"
    )
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE consent SET uses = max_uses WHERE decided_at IS NOT NULL")
        )
    page = (await browser.get(f"/portal/enterprises/{portal.firm}/consents")).text
    today = f"{portal.clock():%Y-%m-%d}"
    day = f"<time>{today}</time>"
    assert f"{day} 起，{day} 撤回" in page
    assert f"{day} 起，<time>{used:%Y-%m-%d}</time> 次数用完" in page


async def test_a_client_that_asks_over_and_over_buries_nothing(portal: PortalFixture) -> None:
    """Active consents are on the first page; ended ones are paged."""
    browser = await portal.signed_in()
    running = await grant_consent(portal, browser)
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("""
                INSERT INTO consent (uscc, consent_id, client_id, purpose, datasets, questions,
                    status, requested_at, answer_by, valid_until, uses, version)
                SELECT uscc, 'cst_flood_' || n, client_id, 'tender', datasets, questions,
                       'withdrawn', requested_at, answer_by, valid_until, 0, 2
                  FROM consent, generate_series(1, 45) AS n WHERE consent_id = :running"""),
            {"running": running},
        )
    address: str | None = f"/portal/enterprises/{portal.firm}/consents"
    pages = []
    while address:
        pages.append((await browser.get(address)).text)
        older = re.search(r'second" href="(\?before=[^"]+)"', pages[-1])
        address = f"/portal/enterprises/{portal.firm}/consents{older[1]}" if older else None
    assert [page.count("/portal/consents/cst_flood_") for page in pages] == [20, 20, 5]
    assert all("".join(pages).count(f'/consents/cst_flood_{n}"') == 1 for n in range(1, 46))
    assert [f'/portal/consents/{running}"' in page for page in pages] == [True, False, False]
    odd = await browser.get(f"/portal/enterprises/{portal.firm}/consents?before=x")
    assert odd.status_code == 404


async def test_the_access_history_lists_refused_attempts(portal: PortalFixture) -> None:
    """R10, newest first."""
    browser = await portal.signed_in()
    await portal.add_look(portal.firm)
    portal.clock.advance(timedelta(minutes=1))
    await portal.add_look(
        portal.firm,
        kind="verification",
        outcome="refused",
        reason="not_available",
        asked=["is_active.v1"],
        purpose="merchant_onboarding",
    )
    page = (await browser.get(f"/portal/enterprises/{portal.firm}/looks")).text
    listed = page.partition('<ul class="list looks">')[2]
    assert listed.index("平台商户入驻") < listed.index("贷款审批")
    for words in ("没有您的授权", "登记状态是否为存续", "登记信息", "浙江示范银行"):
        assert words in page


async def test_the_access_history_has_hourly_counts_of_limited_calls(portal: PortalFixture) -> None:
    """Hourly counts of this enterprise."""
    row = {"client_id": portal.bank, "kind": "query", "reason": "rate_limited"}
    hour = portal.clock().replace(minute=0, second=0, microsecond=0)
    rows = [
        row | {"uscc": portal.firm, "hour": hour, "times": 4321},
        row | {"uscc": "", "hour": hour, "times": 8765},
    ]
    async with portal.engine.begin() as connection:
        await connection.execute(insert(TurnedAwayRow).values(rows))
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/enterprises/{portal.firm}/looks")).text
    for words in ("浙江示范银行", "查询过于频繁", "共 4321 次，均被拒绝"):
        assert words in page
    assert "8765" not in page


async def test_the_access_history_is_paged_without_gap_or_repeat(portal: PortalFixture) -> None:
    """Also with equal times."""
    browser = await portal.signed_in()
    for n in range(45):
        await portal.add_look(portal.firm, asked=[f"mark-{n}-"])
    address: str | None = f"/portal/enterprises/{portal.firm}/looks"
    pages = []
    while address:
        pages.append((await browser.get(address)).text)
        older = re.search(r'second" href="(\?before=[^"]+)"', pages[-1])
        address = f"/portal/enterprises/{portal.firm}/looks{older[1]}" if older else None
    assert [page.count('<li class="look">') for page in pages] == [20, 20, 5]
    assert all("".join(pages).count(f"mark-{n}-") == 1 for n in range(45))


async def test_home_counts_active_consents_and_looks(portal: PortalFixture) -> None:
    """On the start page."""
    browser = await portal.signed_in()
    await grant_consent(portal, browser)
    await portal.add_look(portal.firm)
    await portal.add_look(portal.firm, at=portal.clock() - timedelta(days=31))
    page = (await browser.get("/portal")).text
    assert page.count('<span class="number">1</span>') == 2


@pytest.mark.parametrize("username", ["none"])
async def test_an_account_without_enterprises_sees_so(portal: PortalFixture, username: str) -> None:
    """An account without enterprises sees an empty page."""
    browser = await portal.signed_in(username)
    assert "没有可以代表的企业" in (await browser.get("/portal")).text
