"""Decision page of a consent requested by redirect: items, limits, concurrency, lapse."""

import asyncio
import re
import secrets
from datetime import timedelta
from typing import Any, Final

import httpx2
import pytest
from sqlalchemy import text

from consent import Channel, Status, status_at
from consent.model import Consent
from gateway.identity import interactions
from gateway.limits.quotas import Quotas
from gateway.portal.consents.decision_form import dataset_fields
from tests.consent_builders import stored_consents
from tests.portal_fixture import CATALOGUE, PortalFixture, hidden_fields, query_of
from tests.waiting import lock_waits

GRANT: Final = {"decision": "grant", "dataset": ["penalty"]}


async def decide(
    browser: httpx2.AsyncClient,
    interaction: str,
    *,
    page: str | None = None,
    **form: Any,
) -> httpx2.Response:
    """Submit the decision page with these items ticked."""
    address = f"/portal/decide/{interaction}"
    shown = page or (await browser.get(address)).text
    return await browser.post(address, data=hidden_fields(shown, address) | form)


async def consents_of(portal: PortalFixture, uscc: str) -> list[Consent]:
    """Consents in the database."""
    async with portal.engine.connect() as connection:
        return await stored_consents(connection, uscc)


async def test_the_page_names_the_recipient_the_purpose_and_each_item(
    portal: PortalFixture,
) -> None:
    """Nothing is ticked in advance, and each item lists its fields."""
    browser = await portal.signed_in()
    page = (await browser.get(f"/portal/decide/{await portal.ask()}")).text
    for words in (
        "浙江示范银行",
        "贷款审批",
        "登记信息",
        "行政处罚",
        "公共信用评价",
        "违法事实",
        "法定代表人（经营者）证件号码与对方提供的是否一致",
        "不同意",
        "杭州云栖数据科技有限公司",
    ):
        assert words in page
    assert "checked" not in page


async def test_what_is_asked_beyond_the_usual_is_marked(portal: PortalFixture) -> None:
    """In words, once for all and beside each item; a request within the purpose's bundle has no mark."""
    browser = await portal.signed_in()
    usual = await portal.ask(datasets=["registration", "penalty"], questions=[])
    assert "多申请" not in (await browser.get(f"/portal/decide/{usual}")).text
    wide = await portal.ask(
        datasets=["registration", "penalty", "judgment_case"], questions=["rating_at_least.v1"]
    )
    page = (await browser.get(f"/portal/decide/{wide}")).text
    assert "比同类用途多申请 2 项" in page
    assert page.count(">超出常用<") == 2
    assert '<span class="muted">裁判信息、公共信用评价' in page
    english = (await browser.get(f"/portal/decide/{wide}?lang=en")).text
    assert english.count(">beyond the usual<") == 2


async def test_only_ticked_items_are_granted(portal: PortalFixture) -> None:
    """A partial grant returns to the client."""
    browser = await portal.signed_in()
    interaction = await portal.ask()
    answer = await decide(
        browser,
        interaction,
        decision="grant",
        dataset=["penalty"],
        max_uses="3",
        last_day="2026-12-31",
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/oauth/resume?interaction={interaction}"
    [consent] = await consents_of(portal, portal.firm)
    assert (consent.status, consent.datasets, consent.questions, consent.max_uses) == (
        Status.ACTIVE,
        ("penalty",),
        (),
        3,
    )
    assert consent.valid_until.isoformat() == "2026-12-31T16:00:00+00:00"
    assert consent.text_version
    assert consent.language == "zh"
    assert consent.fields == dataset_fields(["penalty"], CATALOGUE)
    resumed = await browser.get(answer.headers["location"])
    assert "code" in query_of(resumed.headers["location"])


async def test_a_refusal_is_kept_and_cools_down(portal: PortalFixture) -> None:
    """R9: the client cannot ask again for the same, and the page says so."""
    browser = await portal.signed_in()
    answer = await decide(browser, await portal.ask(), decision="refuse")
    resumed = await browser.get(answer.headers["location"])
    assert query_of(resumed.headers["location"])["error"] == ["access_denied"]
    [consent] = await consents_of(portal, portal.firm)
    assert consent.status is Status.REFUSED
    again = await portal.ask()
    page = await browser.get(f"/portal/decide/{again}")
    assert "限制期内不得再次申请" in page.text
    assert [each.status for each in await consents_of(portal, portal.firm)] == [Status.REFUSED]
    [onward] = re.findall(r'href="(/oauth/resume[^"]+)"', page.text)
    resumed = await browser.get(onward)
    assert query_of(resumed.headers["location"])["error"] == ["access_denied"]


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({}, "dataset-registration", "您还没有勾选任何一项"),
        ({"dataset": ["annual_report"]}, "dataset-registration", "您还没有勾选任何一项"),
        ({"dataset": ["penalty"], "max_uses": "11"}, "max_uses", "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "max_uses": "０"}, "max_uses", "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "max_uses": "0"}, "max_uses", "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "last_day": "2026-11-21"}, "last_day", "请选择今天或今天以后"),
        ({"dataset": ["penalty"], "max_uses": ""}, "max_uses", "请填写 1 到 10 之间的次数"),
        ({"dataset": ["penalty"], "last_day": ""}, "last_day", "请选择今天或今天以后"),
        ({"dataset": ["penalty"], "last_day": "tomorrow"}, "last_day", "请选择今天或今天以后"),
    ],
)
async def test_a_refused_form_keeps_its_input_and_links_to_the_field(
    portal: PortalFixture, form: dict[str, Any], field: str, words: str
) -> None:
    """Nothing is written; what was ticked and typed is there, and no more."""
    browser = await portal.signed_in()
    interaction = await portal.ask()
    answer = await decide(browser, interaction, decision="grant", **form)
    assert answer.status_code == 422
    assert re.search(rf'role="alert" id="problem"><a href="#{field}">{words}', answer.text)
    assert f'id="{field}"' in answer.text
    ticked = set(re.findall(r'name="dataset" value="(\w+)" checked', answer.text))
    assert ticked == {"penalty"} & set(form.get("dataset", []))
    for name in ("max_uses", "last_day"):
        if name in form:
            assert f'id="{name}" name="{name}"' in answer.text
            assert f'value="{form[name]}"' in answer.text
    assert ('aria-invalid="true"' in answer.text) is (field in form)
    assert [each.status for each in await consents_of(portal, portal.firm)] == [Status.REQUESTED]


async def test_a_term_longer_than_asked_is_cut_to_what_was_asked(portal: PortalFixture) -> None:
    """A grant is never wider than the request."""
    browser = await portal.signed_in()
    await decide(
        browser,
        await portal.ask(),
        decision="grant",
        dataset=["penalty"],
        last_day="2099-01-01",
    )
    [consent] = await consents_of(portal, portal.firm)
    assert consent.valid_until == portal.clock() + timedelta(days=180)


async def test_a_person_of_several_enterprises_chooses_one(portal: PortalFixture) -> None:
    """If the client named no enterprise."""
    browser = await portal.signed_in("li")
    interaction = await portal.ask(uscc=None)
    page = await browser.get(f"/portal/decide/{interaction}")
    assert "请选择企业" in page.text
    chosen = await browser.get(f"/portal/decide/{interaction}?uscc={portal.firm}")
    await decide(browser, interaction, page=chosen.text, decision="grant", dataset=["penalty"])
    assert len(await consents_of(portal, portal.firm)) == 1
    assert await consents_of(portal, portal.shop) == []


async def test_a_newer_grant_takes_the_place_of_the_older(portal: PortalFixture) -> None:
    """One active consent for each client, enterprise and purpose."""
    browser = await portal.signed_in()
    for dataset in ("penalty", "registration"):
        await decide(browser, await portal.ask(), decision="grant", dataset=[dataset])
        portal.clock.advance(timedelta(minutes=1))
    newer, older = await consents_of(portal, portal.firm)
    assert (newer.status, newer.datasets) == (Status.ACTIVE, ("registration",))
    assert older.status is Status.SUPERSEDED


async def test_ten_clicks_at_once_decide_once(portal: PortalFixture) -> None:
    """A double click writes one consent; each response continues."""
    browser = await portal.signed_in()
    interaction = await portal.ask()
    page = (await browser.get(f"/portal/decide/{interaction}")).text
    answers = await asyncio.gather(
        *(
            decide(browser, interaction, page=page, decision="grant", dataset=["penalty"])
            for _ in range(10)
        )
    )
    assert len(await consents_of(portal, portal.firm)) == 1
    assert {answer.status_code for answer in answers} == {303}


async def test_two_interactions_of_one_request_decide_once(portal: PortalFixture) -> None:
    """The request opened in two tabs."""
    browser = await portal.signed_in()
    first = await portal.ask(request_digest=b"the same request, opened two times")
    second = await portal.ask(request_digest=b"the same request, opened two times")
    await decide(browser, first, decision="grant", dataset=["penalty"])
    assert (await browser.get(f"/portal/decide/{second}")).status_code == 409
    assert [each.datasets for each in await consents_of(portal, portal.firm)] == [("penalty",)]


@pytest.mark.parametrize("tabs", ["of one interaction", "of two interactions"])
@pytest.mark.parametrize("first", ["firm", "shop"])
async def test_tabs_for_two_enterprises_decide_for_that_of_the_first(
    portal: PortalFixture, first: str, tabs: str
) -> None:
    """One person, two enterprises, one pushed request: the later tab decides nothing."""
    browser = await portal.signed_in("li")
    opened, pages = await _tabs_for_two_enterprises(portal, browser, tabs)
    order = ["firm", "shop"] if first == "firm" else ["shop", "firm"]
    answers = [await decide(browser, opened[each], page=pages[each], **GRANT) for each in order]
    resume = f"/oauth/resume?interaction={opened[first]}"
    assert answers[0].headers["location"] == resume
    if tabs == "of one interaction":  # the decision is still to be taken back to the bank
        assert answers[1].headers["location"] == resume
    else:
        late = await browser.get(answers[1].headers["location"])
        assert (late.status_code, "已作出决定" in late.text) == (409, True)
    [granted] = await consents_of(portal, getattr(portal, first))
    assert granted.status is Status.ACTIVE
    assert await consents_of(portal, getattr(portal, order[1])) == []
    resumed = await browser.get(resume)
    assert "code" in query_of(resumed.headers["location"])


@pytest.mark.parametrize("tabs", ["of one interaction", "of two interactions"])
async def test_tabs_for_two_enterprises_at_once_decide_for_one(
    portal: PortalFixture, tabs: str
) -> None:
    """Concurrent decisions of one pushed request: one consent, of one enterprise."""
    browser = await portal.signed_in("li")
    opened, pages = await _tabs_for_two_enterprises(portal, browser, tabs)
    async with portal.engine.begin() as connection:  # both have begun before either goes on
        await connection.execute(text("LOCK TABLE consent_event IN SHARE MODE"))
        clicks = [
            asyncio.create_task(decide(browser, opened[each], page=page, **GRANT))
            for each, page in pages.items()
        ]
        await lock_waits(portal.engine, len(clicks))
    answers = await asyncio.gather(*clicks)
    assert {303} <= {answer.status_code for answer in answers} <= {303, 409}
    held = [
        each.status
        for uscc in (portal.firm, portal.shop)
        for each in await consents_of(portal, uscc)
    ]
    assert held == [Status.ACTIVE]


async def _tabs_for_two_enterprises(
    portal: PortalFixture, browser: httpx2.AsyncClient, tabs: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Interaction and decision page of a tab for the firm and a tab for the shop."""
    digest = secrets.token_bytes(32)
    firm = await portal.ask(uscc=None, request_digest=digest)
    shop = firm
    if tabs == "of two interactions":
        shop = await portal.ask(uscc=None, request_digest=digest)
    opened = {"firm": firm, "shop": shop}
    pages = {
        each: (await browser.get(f"/portal/decide/{opened[each]}?uscc={uscc}")).text
        for each, uscc in (("firm", portal.firm), ("shop", portal.shop))
    }
    return opened, pages


async def test_one_of_concurrent_grants_is_active(portal: PortalFixture) -> None:
    """R8: concurrent grants leave one active consent."""
    # Nothing else may make them wait: the displayed words were kept by another enterprise's decision.
    neighbour = await portal.signed_in("wang")
    interaction = await portal.ask(uscc=portal.elsewhere)
    await decide(neighbour, interaction, decision="grant", dataset=["penalty"])
    browser = await portal.signed_in()
    digest = secrets.token_bytes(32)
    opened = [await portal.ask(request_digest=digest) for _ in range(6)]
    addresses = [f"/portal/decide/{each}" for each in opened]
    pages = [(await browser.get(each)).text for each in addresses]
    async with (
        portal.engine.begin() as connection
    ):  # nobody goes beyond the first event: all are under way
        await connection.execute(text("LOCK TABLE consent_event IN SHARE MODE"))
        clicks = [
            asyncio.create_task(
                decide(browser, each, page=page, decision="grant", dataset=["penalty"])
            )
            for each, page in zip(opened, pages, strict=True)
        ]
        await lock_waits(portal.engine, len(clicks))
    await asyncio.gather(*clicks)
    held = [each.status for each in await consents_of(portal, portal.firm)]
    assert held == [Status.ACTIVE]


async def test_an_expired_request_says_so_and_grants_nothing(portal: PortalFixture) -> None:
    """After its time the page decides nothing."""
    browser = await portal.signed_in()
    interaction = await portal.ask()
    page = (await browser.get(f"/portal/decide/{interaction}")).text
    for _ in range(3):
        await browser.get("/portal")
        portal.clock.advance(interactions.INTERACTION_LIFETIME / 3)
    answer = await decide(
        browser,
        interaction,
        page=page,
        decision="grant",
        dataset=["penalty"],
    )
    assert answer.status_code == 410
    assert "已过期" in answer.text
    [lapsed] = await consents_of(portal, portal.firm)
    assert status_at(lapsed, portal.clock()) is Status.EXPIRED


async def test_the_page_requests_the_consent_and_nothing_before_it(portal: PortalFixture) -> None:
    """The client sees `requested`; the portal lists it nowhere else, and it lapses soon."""
    browser = await portal.signed_in()
    interaction = await portal.ask()
    assert await consents_of(portal, portal.firm) == []
    stranger = await portal.signed_in("wang")
    assert (await stranger.get(f"/portal/decide/{interaction}")).status_code == 403
    assert await consents_of(portal, portal.firm) == []
    for _ in range(2):
        await browser.get(f"/portal/decide/{interaction}")
    [asked] = await consents_of(portal, portal.firm)
    assert (asked.status, asked.channel) == (Status.REQUESTED, Channel.REDIRECT)
    assert asked.answer_by == portal.clock() + interactions.INTERACTION_LIFETIME
    assert asked.consent_id not in (await browser.get("/portal")).text
    elsewhere = await browser.get(f"/portal/asked/{asked.consent_id}")
    assert elsewhere.status_code == 409
    await decide(browser, interaction, decision="grant", dataset=["penalty"])
    [granted] = await consents_of(portal, portal.firm)
    assert (granted.consent_id, granted.status) == (asked.consent_id, Status.ACTIVE)


async def test_a_newer_request_takes_the_place_of_an_open_one(portal: PortalFixture) -> None:
    """The older page says that it was replaced; a request by link stays."""
    browser = await portal.signed_in()
    older, newer = await portal.ask(), await portal.ask()
    page = (await browser.get(f"/portal/decide/{older}")).text
    await browser.get(f"/portal/decide/{newer}")
    answer = await decide(browser, older, page=page, decision="grant", dataset=["penalty"])
    assert answer.status_code == 410
    assert {each.status for each in await consents_of(portal, portal.firm)} == {
        Status.REQUESTED,
        Status.WITHDRAWN,
    }


async def test_a_decided_request_cannot_be_requested_again(portal: PortalFixture) -> None:
    """Another tab makes no second consent."""
    browser = await portal.signed_in()
    digest = secrets.token_bytes(32)
    first, second = [await portal.ask(request_digest=digest) for _ in range(2)]
    await decide(browser, first, decision="refuse")
    portal.clock.advance(timedelta(days=31))
    browser = await portal.signed_in()
    assert (await browser.get(f"/portal/decide/{second}")).status_code in {409, 410}
    assert [each.status for each in await consents_of(portal, portal.firm)] == [Status.REFUSED]


async def test_requests_by_redirect_count_towards_the_limits(portal: PortalFixture) -> None:
    """Beyond the agreement's limit no further page is decided."""
    bank = await portal.add_client(quotas=Quotas(per_minute=2))
    browser = await portal.signed_in()
    statuses = [
        (await browser.get(f"/portal/decide/{await portal.ask(client_id=bank)}")).status_code
        for _ in range(3)
    ]
    assert statuses == [200, 200, 429]
    assert len(await consents_of(portal, portal.firm)) == 2
    [(line, times)] = [
        each for each in portal.runtime.refusal_counter._lines.items() if each[0].client_id == bank
    ]
    assert (line.uscc, line.kind, line.reason) == (portal.firm, "consent_request", "rate_limited")
    assert times == 1


async def test_a_decided_request_says_so_once_it_was_handed_over(portal: PortalFixture) -> None:
    """The browser's back button decides nothing again."""
    browser = await portal.signed_in()
    interaction = await portal.ask()
    answer = await decide(browser, interaction, decision="grant", dataset=["penalty"])
    await browser.get(answer.headers["location"])
    page = await browser.get(f"/portal/decide/{interaction}")
    assert page.status_code == 409
    assert "已作出决定" in page.text


async def test_the_form_may_lead_to_the_bank_and_nowhere_else(portal: PortalFixture) -> None:
    """The form-action of the CSP would block the redirect otherwise."""
    browser = await portal.signed_in()
    page = await browser.get(f"/portal/decide/{await portal.ask()}")
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1:9911;" in policy


async def test_an_opened_page_is_not_visible_to_the_client_before_a_decision(
    portal: PortalFixture,
) -> None:
    """Without a named enterprise nothing is written before the decision."""
    browser = await portal.signed_in()
    interaction = await portal.ask(uscc=None)
    assert (await browser.get(f"/portal/decide/{interaction}")).status_code == 200
    assert await consents_of(portal, portal.firm) == []
    await decide(browser, interaction, decision="grant", dataset=["penalty"])
    [granted] = await consents_of(portal, portal.firm)
    assert (granted.status, granted.channel) == (Status.ACTIVE, Channel.REDIRECT)


async def test_a_request_that_was_taken_back_stays_so(portal: PortalFixture) -> None:
    """Opening the page again requests nothing."""
    browser = await portal.signed_in()
    older, newer = await portal.ask(), await portal.ask()
    for each in (older, newer, older, older):
        page = await browser.get(f"/portal/decide/{each}")
    assert page.status_code == 410
    statuses = sorted(each.status for each in await consents_of(portal, portal.firm))
    assert statuses == [Status.REQUESTED, Status.WITHDRAWN]


async def test_a_cool_down_ends_a_page_that_is_open(portal: PortalFixture) -> None:
    """No second refusal, no longer cool-down; the request ends."""
    browser = await portal.signed_in()
    first, second = await portal.ask(), await portal.ask(purpose="merchant_review")
    page = (await browser.get(f"/portal/decide/{first}")).text
    refused = await portal.ask()
    await decide(browser, refused, decision="refuse")
    assert second
    answer = await decide(browser, first, page=page, decision="refuse")
    assert answer.status_code in {303, 410}
    statuses = sorted(each.status for each in await consents_of(portal, portal.firm))
    assert statuses == [Status.REFUSED, Status.WITHDRAWN]


async def test_my_consents_list_no_request_by_redirect_as_waiting(portal: PortalFixture) -> None:
    """It is decided on the client's redirect only."""
    browser = await portal.signed_in()
    await browser.get(f"/portal/decide/{await portal.ask()}")
    [asked] = await consents_of(portal, portal.firm)
    listed = await browser.get(f"/portal/enterprises/{portal.firm}/consents")
    assert asked.consent_id not in listed.text
    alone = await browser.get(f"/portal/consents/{asked.consent_id}")
    assert f"/portal/asked/{asked.consent_id}" not in alone.text
