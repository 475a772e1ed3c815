"""Consent requests by link in the portal: decision, amendment, narrowing, lapse."""

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

import consent
from consent import Channel, Purpose, Request, Status, store
from consent.ids import RANDOM_BYTES, consent_id_from
from consent.model import Consent
from gateway.disclosure import consent_log_writer
from gateway.identity import sessions
from gateway.pages.rendering import format_moment
from tests.portal_fixture import PortalFixture, hidden_fields
from tests.waiting import lock_waits


async def request_by_link(
    portal: PortalFixture,
    uscc: str,
    *datasets: str,
    amends: Consent | None = None,
    client_id: str | None = None,
) -> str:
    """Id of a consent requested by link."""
    now = portal.clock()
    requested = consent.request(
        Request(
            client_id=client_id or portal.bank,
            uscc=uscc,
            purpose=Purpose.LOAN_APPROVAL,
            datasets=datasets or ("penalty", "licence"),
            valid_until=now + timedelta(days=180),
            max_uses=10,
        ),
        consent_id=consent_id_from(secrets.token_bytes(RANDOM_BYTES)),
        channel=Channel.LINK,
        now=now,
        amends=amends,
    )
    assert isinstance(requested, consent.Transition)
    async with portal.engine.begin() as connection:
        await consent_log_writer.insert(connection, requested)
    return requested.consent.consent_id


async def decide(
    browser: httpx2.AsyncClient, consent_id: str, *, page: str | None = None, **form: Any
) -> httpx2.Response:
    """Submit the decision page behind the link."""
    address = f"/portal/asked/{consent_id}"
    shown = page or (await browser.get(address)).text
    return await browser.post(address, data=hidden_fields(shown, address) | form)


async def read_consent(portal: PortalFixture, consent_id: str) -> Consent:
    """The consent."""
    async with portal.engine.connect() as connection:
        found = await store.by_id(connection, consent_id)
    assert found is not None
    return found


async def test_the_link_leads_to_the_decision_page_after_sign_in(portal: PortalFixture) -> None:
    """Before it the page says what was scanned, the same for an unknown request; then they return to it."""
    consent_id = await request_by_link(portal, portal.firm)
    stranger = portal.browser()
    for each in (consent_id, "cst_" + "a" * 26):
        answer = await stranger.get(f"/portal/asked/{each}")
        assert "这是一份授权申请" in answer.text
        assert "不是门店的企业码" in answer.text
        assert f'href="/portal/sign-in?return=/portal/asked/{each}"' in answer.text
        assert "浙江示范银行" not in answer.text
    page = (await (await portal.signed_in()).get(f"/portal/asked/{consent_id}")).text
    for words in ("浙江示范银行", "贷款审批", "行政处罚", "行政许可", "不同意"):
        assert words in page
    assert "checked" not in page


async def test_the_mark_of_more_than_usual_is_the_same_by_link_for_every_client(
    portal: PortalFixture,
) -> None:
    """By redirect it is on the same page; it names what is beyond, whoever asks."""
    browser = await portal.signed_in()
    bank, other = portal.bank, await portal.add_client("义乌示范银行", "Yiwu Demo Bank")
    pages = []
    for client in (bank, other):
        asked = await request_by_link(portal, portal.firm, "penalty", "complaint", client_id=client)
        pages.append((await browser.get(f"/portal/asked/{asked}")).text)
    for page in pages:
        assert "比同类用途多申请 1 项" in page
        assert '<span class="muted">投诉举报统计</span>' in page
        assert page.count(">超出常用<") == 1


async def test_ticked_items_are_granted_with_the_channel_link(portal: PortalFixture) -> None:
    """The same record as by redirect; the person stays in the portal."""
    consent_id = await request_by_link(portal, portal.firm)
    browser = await portal.signed_in()
    answer = await decide(browser, consent_id, decision="grant", dataset=["penalty"], max_uses="1")
    assert answer.headers["location"] == f"/portal/consents/{consent_id}?notice=granted"
    assert "已同意" in (await browser.get(answer.headers["location"])).text
    found = await read_consent(portal, consent_id)
    assert (found.status, found.datasets, found.max_uses) == (Status.ACTIVE, ("penalty",), 1)
    async with portal.engine.connect() as connection:
        events = await store.events_of(connection, portal.firm, consent_id)
    assert [(each.what, each.channel) for each in events] == [
        ("requested", "link"),
        ("granted", "link"),
    ]


async def test_the_start_page_lists_what_waits(portal: PortalFixture) -> None:
    """Until decided."""
    consent_id = await request_by_link(portal, portal.firm)
    browser = await portal.signed_in()
    link = f'href="/portal/asked/{consent_id}"'
    assert link in (await browser.get("/portal")).text
    await decide(browser, consent_id, decision="refuse")
    assert link not in (await browser.get("/portal")).text
    assert (await read_consent(portal, consent_id)).status is Status.REFUSED


async def test_another_enterprises_request_and_none_at_all_look_the_same(
    portal: PortalFixture,
) -> None:
    """The link does not show which enterprise was asked."""
    consent_id = await request_by_link(portal, portal.elsewhere)
    unknown = await request_by_link(portal, portal.unknown)
    browser = await portal.signed_in()
    pages = [
        (await browser.get(f"/portal/asked/{each}"))
        for each in (consent_id, unknown, "cst_" + "a" * 26)
    ]
    assert {each.status_code for each in pages} == {403}
    assert len({each.text for each in pages}) == 1
    own = await request_by_link(portal, portal.firm)
    token = hidden_fields((await browser.get(f"/portal/asked/{own}")).text, f"/portal/asked/{own}")
    forged = await browser.post(
        f"/portal/asked/{consent_id}", data=token | {"decision": "grant", "dataset": "penalty"}
    )
    assert forged.status_code == 403
    assert (await read_consent(portal, consent_id)).status is Status.REQUESTED


async def test_ten_clicks_at_once_decide_once(portal: PortalFixture) -> None:
    """Each response shows the result."""
    consent_id = await request_by_link(portal, portal.firm)
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/asked/{consent_id}")).text
    answers = await asyncio.gather(
        *(
            decide(browser, consent_id, page=page, decision="grant", dataset=["penalty"])
            for _ in range(10)
        )
    )
    assert {each.status_code for each in answers} <= {303, 409}
    async with portal.engine.connect() as connection:
        events = await store.events_of(connection, portal.firm, consent_id)
    assert [each.what for each in events] == ["requested", "granted"]


async def test_a_request_that_lapsed_while_read_says_so(portal: PortalFixture) -> None:
    """Nothing is granted."""
    consent_id = await request_by_link(portal, portal.firm)
    portal.clock.advance(timedelta(days=7) - timedelta(minutes=5))
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/asked/{consent_id}")).text
    portal.clock.advance(timedelta(minutes=5))
    late = await decide(browser, consent_id, page=page, decision="grant", dataset=["penalty"])
    assert late.status_code == 410
    assert "没有在期限内得到答复" in late.text
    assert (await read_consent(portal, consent_id)).decided_at is None


async def test_a_decided_one_says_so(portal: PortalFixture) -> None:
    """Nothing is decided again."""
    consent_id = await request_by_link(portal, portal.firm)
    browser = await portal.signed_in()
    await decide(browser, consent_id, decision="refuse")
    page = await browser.get(f"/portal/asked/{consent_id}")
    assert (page.status_code, "已作出决定" in page.text) == (409, True)


async def test_after_a_refusal_an_older_request_cannot_be_granted(portal: PortalFixture) -> None:
    """R9: for both channels."""
    first, second = (
        await request_by_link(portal, portal.firm),
        await request_by_link(portal, portal.firm),
    )
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/asked/{second}")).text
    await decide(browser, first, decision="refuse")
    assert "限制期内不得再次申请" in (await browser.get(f"/portal/asked/{second}")).text
    answer = await decide(browser, second, page=page, decision="grant", dataset=["penalty"])
    assert "限制期内不得再次申请" in answer.text
    assert (await read_consent(portal, second)).status is Status.REQUESTED


async def test_the_enterprise_ends_the_cool_down_and_the_client_may_ask_at_once(
    portal: PortalFixture,
) -> None:
    """Of every refusal of the relation, once however often sent; the refusals and who did it are kept."""
    first, second = [await request_by_link(portal, portal.firm) for _ in range(2)]
    browser = await portal.signed_in()
    await decide(browser, first, decision="refuse")
    portal.clock.advance(timedelta(days=1))
    browser = await portal.signed_in()
    waiting = (await browser.get(f"/portal/asked/{second}")).text
    assert f'href="/portal/consents/{first}#may-ask"' in waiting
    await decide(browser, second, page=waiting, decision="refuse")
    own, action = f"/portal/consents/{first}", f"/portal/consents/{first}/end-cool-down"
    page = (await browser.get(own)).text
    until = format_moment(portal.clock() + consent.COOL_DOWN)
    assert f'对方在 <span class="whole">{until}</span> 之前不得以同一用途再次申请' in page
    form = hidden_fields(page, action)
    assert (await browser.post(action, data=form | {"csrf": ""})).status_code == 403
    sent = await asyncio.gather(*(browser.post(action, data=form) for _ in range(3)))
    assert {each.headers["location"] for each in sent} == {f"{own}?notice=may_ask"}
    page = (await browser.get(f"{own}?notice=may_ask")).text
    assert "已允许。对方从现在起可以再次申请" in page
    assert page.count("您允许对方再次申请") == page.count("您拒绝了申请") == 1
    assert "end-cool-down" not in page
    async with portal.engine.connect() as connection:
        for each in (first, second):
            acts = [e.what.value for e in await store.events_of(connection, portal.firm, each)]
            assert acts == ["requested", "refused", "cool_down_ended"]
        kept = await store.last_refusal(connection, portal.bank, portal.firm, Purpose.LOAN_APPROVAL)
    assert kept
    assert kept.status is Status.REFUSED
    assert consent.may_ask_again([kept], now=portal.clock())
    third = await request_by_link(portal, portal.firm)
    assert 'value="grant"' in (await browser.get(f"/portal/asked/{third}")).text


async def test_another_enterprise_ends_no_cool_down(portal: PortalFixture) -> None:
    """Neither its own representative's form nor a stranger's."""
    first = await request_by_link(portal, portal.firm)
    await decide(await portal.signed_in(), first, decision="refuse")
    action = f"/portal/consents/{first}/end-cool-down"
    stranger = await portal.signed_in("wang")
    cookie = stranger.cookies[sessions.cookie_name(portal.runtime.settings)]
    csrf = sessions.csrf_token(portal.runtime.digests, cookie, f"end-cool-down {first}")
    assert (await stranger.post(action, data={"csrf": csrf})).status_code == 404
    kept = await read_consent(portal, first)
    assert not consent.may_ask_again([kept], now=portal.clock())


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://e.test"}]
)
async def test_a_foreign_form_decides_nothing(
    portal: PortalFixture, headers: dict[str, str]
) -> None:
    """Also without the form token."""
    consent_id = await request_by_link(portal, portal.firm)
    browser = await portal.signed_in()
    address = f"/portal/asked/{consent_id}"
    fields = hidden_fields((await browser.get(address)).text, address)
    fields |= {"decision": "grant", "dataset": "penalty"}
    assert (await browser.post(address, data=fields, headers=headers)).status_code == 403
    assert (await browser.post(address, data=fields | {"csrf": "no"})).status_code == 403
    assert (await read_consent(portal, consent_id)).status is Status.REQUESTED


async def test_the_form_leads_nowhere_else(portal: PortalFixture) -> None:
    """The form-action of the CSP is our own origin."""
    browser = await portal.signed_in()
    page = await browser.get(f"/portal/asked/{await request_by_link(portal, portal.firm)}")
    assert "form-action 'self';" in page.headers["content-security-policy"]


async def grant_by_link(
    portal: PortalFixture, browser: httpx2.AsyncClient, *datasets: str
) -> Consent:
    """Id of a consent granted by link."""
    consent_id = await request_by_link(portal, portal.firm, *datasets)
    await decide(browser, consent_id, decision="grant", dataset=list(datasets))
    return await read_consent(portal, consent_id)


async def test_an_amendment_is_shown_against_what_holds_and_changes_it(
    portal: PortalFixture,
) -> None:
    """The page shows both; granted, the active consent has the new terms."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    amendment = await request_by_link(portal, portal.firm, "penalty", "licence", amends=running)
    page = (await browser.get(f"/portal/asked/{amendment}")).text
    assert "对一项有效授权的变更申请" in page
    answer = await decide(
        browser, amendment, page=page, decision="grant", dataset=["licence"], max_uses="4"
    )
    assert answer.headers["location"] == f"/portal/consents/{running.consent_id}?notice=amended"
    changed = await read_consent(portal, running.consent_id)
    assert (changed.status, changed.datasets, changed.max_uses) == (Status.ACTIVE, ("licence",), 4)
    assert (await read_consent(portal, amendment)).status is Status.SUPERSEDED
    history = (await browser.get(f"/portal/consents/{running.consent_id}")).text
    assert "您变更了授权" in history


async def test_a_refused_amendment_leaves_what_holds(portal: PortalFixture) -> None:
    """The active consent is unchanged."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    amendment = await request_by_link(portal, portal.firm, "licence", amends=running)
    await decide(browser, amendment, decision="refuse")
    assert await read_consent(portal, running.consent_id) == running
    assert (await read_consent(portal, amendment)).status is Status.REFUSED


async def test_an_amendment_of_what_was_withdrawn_meanwhile_is_not_granted(
    portal: PortalFixture,
) -> None:
    """Withdrawn in one tab, agreed in the other."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    amendment = await request_by_link(portal, portal.firm, "licence", amends=running)
    page = (await browser.get(f"/portal/asked/{amendment}")).text
    address = f"/portal/consents/{running.consent_id}/withdraw"
    await browser.post(address, data=hidden_fields((await browser.get(address)).text, address))
    answer = await decide(browser, amendment, page=page, decision="grant", dataset=["licence"])
    assert (answer.status_code, "已经结束" in answer.text) == (410, True)
    assert (await read_consent(portal, running.consent_id)).status is Status.WITHDRAWN
    gone = await read_consent(portal, amendment)
    assert (gone.status, gone.was_granted) == (Status.WITHDRAWN, False)
    assert amendment not in (await browser.get("/portal")).text


async def test_a_withdrawal_ends_what_is_being_asked_at_that_moment(portal: PortalFixture) -> None:
    """The withdrawal waits for the concurrent request and ends it."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    address = f"/portal/consents/{running.consent_id}/withdraw"
    form = hidden_fields((await browser.get(address)).text, address)
    async with portal.engine.begin() as connection:
        base = await store.hold(connection, running.uscc, running.consent_id)
        assert base is not None
        withdrawing = asyncio.create_task(browser.post(address, data=form))
        await lock_waits(portal.engine)
        assert not withdrawing.done()
        asks = consent.request(
            Request(
                client_id=portal.bank,
                uscc=portal.firm,
                purpose=Purpose.LOAN_APPROVAL,
                datasets=("penalty", "licence"),
                valid_until=base.valid_until,
                max_uses=10,
            ),
            consent_id=(late := consent_id_from(secrets.token_bytes(RANDOM_BYTES))),
            channel=Channel.LINK,
            now=portal.clock(),
            amends=base,
        )
        assert isinstance(asks, consent.Transition)
        await consent_log_writer.insert(connection, asks)
    assert (await withdrawing).headers["location"].endswith("notice=withdraw")
    assert (await read_consent(portal, late)).status is Status.WITHDRAWN


async def test_a_request_that_the_client_withdrew_says_so(portal: PortalFixture) -> None:
    """The page says so; the consent it would have changed continues."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    for amends in (None, running):
        consent_id = await request_by_link(portal, portal.firm, "licence", amends=amends)
        page = (await browser.get(f"/portal/asked/{consent_id}")).text
        before = await read_consent(portal, consent_id)
        given_up = consent.give_up(before, client_id=portal.bank, now=portal.clock())
        assert isinstance(given_up, consent.Transition)
        async with portal.engine.begin() as connection:
            assert await consent_log_writer.save(connection, before, given_up)
        answer = await decide(browser, consent_id, page=page, decision="grant", dataset=["licence"])
        assert (answer.status_code, "对方已撤回" in answer.text) == (410, True)
    assert await read_consent(portal, running.consent_id) == running


async def test_fewer_uses_than_were_spent_are_said_to_be_spent(portal: PortalFixture) -> None:
    """On the amendment and the narrowing page; nothing is written."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    amendment = await request_by_link(portal, portal.firm, "licence", amends=running)
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE consent SET uses = 4 WHERE consent_id = :id"), {"id": running.consent_id}
        )
    answer = await decide(browser, amendment, decision="grant", dataset=["licence"], max_uses="4")
    assert "次数须大于已用次数" in answer.text
    assert 'value="4"' in answer.text
    address = f"/portal/consents/{running.consent_id}/narrow"
    form = hidden_fields((await browser.get(address)).text, address)
    answer = await browser.post(address, data=form | {"dataset": ["penalty"], "max_uses": "4"})
    assert "次数须大于已用次数" in answer.text
    assert 'value="4"' in answer.text
    assert (await read_consent(portal, running.consent_id)).max_uses == 10


async def test_an_amendment_can_be_answered_no_longer_than_what_it_changes_runs(
    portal: PortalFixture,
) -> None:
    """Expired: both end; used up: the amendment cannot be granted."""
    browser = await portal.signed_in()
    consent_id = await request_by_link(portal, portal.firm, "penalty")
    last_day = (portal.clock() + timedelta(days=1)).date().isoformat()
    await decide(browser, consent_id, decision="grant", dataset=["penalty"], last_day=last_day)
    running = await read_consent(portal, consent_id)
    amendment = await request_by_link(portal, portal.firm, "licence", amends=running)
    assert (await read_consent(portal, amendment)).answer_by == running.valid_until
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE consent SET uses = max_uses WHERE consent_id = :id"), {"id": consent_id}
        )
    used_up = await browser.get(f"/portal/asked/{amendment}")
    assert (used_up.status_code, "已经结束" in used_up.text) == (410, True)
    assert amendment not in (await browser.get("/portal")).text
    portal.clock.advance(running.valid_until - portal.clock())
    again = await portal.signed_in()
    assert (await again.get(f"/portal/asked/{amendment}")).status_code == 410


async def test_the_enterprise_allows_less_by_itself(portal: PortalFixture) -> None:
    """Untick items, shorten the term, lower the uses; nothing can be added."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty", "licence")
    address = f"/portal/consents/{running.consent_id}/narrow"
    fields = hidden_fields((await browser.get(address)).text, address)
    wider = fields | {"dataset": ["penalty", "annual_report"], "max_uses": "3"}
    answer = await browser.post(address, data=wider)
    assert answer.headers["location"] == f"/portal/consents/{running.consent_id}?notice=amended"
    changed = await read_consent(portal, running.consent_id)
    assert (changed.datasets, changed.max_uses) == (("penalty",), 3)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "请至少保留一项，您的选择没有提交。如果不再提供，请撤回授权。"),
        ({"dataset": ["penalty"], "max_uses": ""}, "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "last_day": ""}, "请选择今天或今天以后"),
        ({"dataset": ["penalty"], "max_uses": "11"}, "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "max_uses": "0"}, "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "last_day": "2020-01-01"}, "请选择今天或今天以后"),
        ({"dataset": ["penalty"]}, "您没有作任何变更"),
    ],
)
async def test_a_narrowing_that_narrows_nothing_is_refused(
    portal: PortalFixture, form: dict[str, Any], words: str
) -> None:
    """The page says why, and keeps what was ticked."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    address = f"/portal/consents/{running.consent_id}/narrow"
    fields = hidden_fields((await browser.get(address)).text, address)
    answer = await browser.post(address, data=fields | form)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert ('value="penalty" checked' in answer.text) is ("dataset" in form)
    withdrawing = f'href="/portal/consents/{running.consent_id}/withdraw"'
    assert (withdrawing in answer.text) is (form == {})
    assert await read_consent(portal, running.consent_id) == running


async def test_what_a_consent_replaces_is_said_before_it_is_given(portal: PortalFixture) -> None:
    """The running one of the same client and purpose, and only that one; it ends with the new."""
    browser = await portal.signed_in()
    running = await grant_by_link(portal, browser, "penalty")
    second = await request_by_link(portal, portal.firm)
    page = (await browser.get(f"/portal/asked/{second}")).text
    assert "您对该机构的同一用途已有授权（至" in page
    assert f'href="/portal/consents/{running.consent_id}"' in page
    amending = await request_by_link(portal, portal.firm, amends=running)
    assert "同一用途已有授权" not in (await browser.get(f"/portal/asked/{amending}")).text
    await decide(browser, second, page=page, decision="grant", dataset=["licence"])
    assert (await read_consent(portal, running.consent_id)).status is Status.SUPERSEDED
    own = (await browser.get(f"/portal/consents/{running.consent_id}")).text
    assert "被新的授权替代" in own
    third = await request_by_link(portal, portal.firm)
    fourth = await request_by_link(portal, portal.firm)
    await decide(browser, fourth, decision="grant", dataset=["licence"])
    never = (await browser.get(f"/portal/consents/{third}")).text
    assert ("被新的申请替代" in never, "被新的授权替代" in never) == (True, False)
    ended = (await browser.get(f"/portal/enterprises/{portal.firm}/consents")).text
    assert "被新的申请替代" in ended


async def test_another_enterprises_consent_cannot_be_narrowed(portal: PortalFixture) -> None:
    """404 for other enterprises."""
    running = await grant_by_link(portal, await portal.signed_in(), "penalty")
    stranger = await portal.signed_in("wang")
    address = f"/portal/consents/{running.consent_id}/narrow"
    assert (await stranger.get(address)).status_code == 404
    assert (await stranger.post(address, data={"csrf": "x"})).status_code == 403
