"""Delegates: invitation, permissions, term and end of a delegation."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from consent import Status, store
from gateway.access.serializers.signed_consent_record import signed_record
from tests.api.test_portal_consent_downloads import text_of_pdf
from tests.api.test_portal_link_requests import decide, read_consent, request_by_link
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture, hidden_fields

LINK = re.compile(r"/portal/invitations/[A-Za-z0-9_-]+")


async def appoint(
    portal: PortalFixture, boss: httpx2.AsyncClient, uscc: str, *powers: str, **form: Any
) -> httpx2.Response:
    """Submit an appointment."""
    page = (await boss.get(f"/portal/enterprises/{uscc}/delegates/new")).text
    action = re.search(r'action="(/portal/enterprises/[^"]+/new/[^"]+)"', page)
    assert action
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    fields = {"name": "小王", "power": list(powers), "last_day": last_day} | form
    return await boss.post(action[1], data=hidden_fields(page, action[1]) | fields)


async def accept_invitation(browser: httpx2.AsyncClient, link: str) -> httpx2.Response:
    """Accept an invitation."""
    page = (await browser.get(link)).text
    return await browser.post(
        link, data=hidden_fields(page, link) if f'action="{link}"' in page else {}
    )


async def make_delegate(
    portal: PortalFixture, *powers: str, uscc: str = "", boss: str = "zhang"
) -> httpx2.AsyncClient:
    """Browser of Mr Wang after accepting an invitation of the firm."""
    made = await appoint(portal, await portal.signed_in(boss), uscc or portal.firm, *powers)
    link = LINK.search(made.text)
    assert link, made.text
    wang = await portal.signed_in("wang")
    assert (await accept_invitation(wang, link[0])).status_code == 303
    return wang


async def test_a_delegate_acts_within_the_scope_and_nowhere_else(portal: PortalFixture) -> None:
    """With `consents` alone, record, codes and delegates are 404."""
    wang = await make_delegate(portal, "consents")
    at = f"/portal/enterprises/{portal.firm}"
    assert (await wang.get(f"{at}/consents")).status_code == 200
    for path in ("looks", "record", "codes", "objections", "delegates", "delegates/new"):
        assert (await wang.get(f"{at}/{path}")).status_code == 404, path
    home = (await wang.get("/portal")).text
    assert "杭州云栖" in home
    assert f"{at}/record" not in home
    assert f"{at}/delegates" not in home


async def test_a_delegates_decision_is_kept_with_the_delegates_own_name_and_token(
    portal: PortalFixture,
) -> None:
    """The consent's subject is the delegate; the representative sees the acts."""
    wang = await make_delegate(portal, "consents")
    consent_id = await request_by_link(portal, portal.firm)
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    await decide(wang, consent_id, decision="grant", dataset=["penalty"], last_day=last_day)
    kept = await read_consent(portal, consent_id)
    assert (kept.status, kept.subject) == (Status.ACTIVE, "demo:wang")
    assert kept.identity_token_digest
    boss = await portal.signed_in()
    page = (await boss.get(f"/portal/enterprises/{portal.firm}/delegates")).text
    one = re.search(rf"/portal/enterprises/{portal.firm}/delegates/dlg_[a-z0-9]+", page)
    assert one
    page = (await boss.get(one[0])).text
    assert f"/portal/consents/{consent_id}" in page
    assert "同意了授权：浙江示范银行" in page
    assert "接受人</dt><dd>王五<" in page
    english = (await boss.get(f"{one[0]}?lang=en")).text
    assert "Accepted by</dt><dd>王五<" in english


async def test_history_and_receipt_name_the_delegate_who_decided(portal: PortalFixture) -> None:
    """To the representative and to the delegate, in both languages; a client is not told."""
    wang = await make_delegate(portal, "consents")
    consent_id = await request_by_link(portal, portal.firm)
    await decide(wang, consent_id, decision="grant", dataset=["penalty"])
    boss, own = await portal.signed_in(), f"/portal/consents/{consent_id}"
    pause = hidden_fields((await boss.get(own)).text, f"{own}/pause")
    await boss.post(f"{own}/pause", data=pause)
    for browser, who in ((boss, "您"), (wang, "法定代表人（经营者）")):
        page = (await browser.get(f"{own}?lang=zh")).text
        assert "经办人 小王（王五）同意授权" in page
        assert "您同意授权" not in page
        assert f"<span>{who}暂停了授权" in page
    assert "Delegate 小王 (王五) consented" in (await boss.get(f"{own}?lang=en")).text
    receipt = (await boss.get(f"{own}/receipt.pdf")).content
    assert "经办人小王（王五）同意授权" in text_of_pdf(receipt)
    async with portal.engine.connect() as connection:
        kept = await store.by_id(connection, consent_id)
        assert kept
        record = await signed_record(connection, portal.runtime, kept, reader="client")
    assert "王五" not in json.dumps(record, ensure_ascii=False)


async def test_a_delegate_accepted_before_names_were_kept_is_shown_by_the_masked_account(
    portal: PortalFixture,
) -> None:
    """The end of the account, and nothing of the rest."""
    await make_delegate(portal, "consents")
    async with portal.engine.begin() as connection:
        await connection.execute(text("UPDATE delegation SET accepted_name = NULL"))
    boss = await portal.signed_in()
    at = f"/portal/enterprises/{portal.firm}/delegates"
    one = re.search(rf"{at}/dlg_[a-z0-9]+", (await boss.get(at)).text)
    assert one
    page = (await boss.get(one[0])).text
    assert "接受人</dt><dd>账号 …wang<" in page
    assert "demo:wang" not in page


async def test_the_representative_sees_what_a_delegate_did_for_a_repair(
    portal: PortalFixture,
) -> None:
    """The application and its withdrawal, each under the delegate's own name."""
    await portal.add_records(make_record(uscc=portal.firm, record_id="rec_p"))
    wang = await make_delegate(portal, "record", "repairs")
    address = f"/portal/enterprises/{portal.firm}/records/rec_p/repair"
    form = hidden_fields((await wang.get(address)).text, address)
    sent = await wang.post(address, data=form | {"statement": "已整改。", "commitment": "yes"})
    own = sent.headers["location"].partition("?")[0]
    form = hidden_fields((await wang.get(f"{own}/withdraw")).text, f"{own}/withdraw")
    await wang.post(f"{own}/withdraw", data=form)
    boss = await portal.signed_in()
    at = f"/portal/enterprises/{portal.firm}/delegates"
    one = re.search(rf"{at}/dlg_[a-z0-9]+", (await boss.get(at)).text)
    assert one
    page = (await boss.get(one[0])).text
    assert page.count(f'href="{own}"') == 2
    assert "办理了信用修复申请" in page


async def test_a_delegate_ended_is_out_with_the_very_next_request(portal: PortalFixture) -> None:
    """In any session."""
    wang, boss = await make_delegate(portal, "consents"), await portal.signed_in()
    at = f"/portal/enterprises/{portal.firm}/delegates"
    one = re.search(rf"{at}/dlg_[a-z0-9]+", (await boss.get(at)).text)
    assert one
    page = (await boss.get(one[0])).text
    ended = await boss.post(f"{one[0]}/end", data=hidden_fields(page, f"{one[0]}/end"))
    assert ended.headers["location"].endswith("notice=ended")
    assert (await wang.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 404
    assert "已终止" in (await boss.get(one[0])).text


async def test_a_term_ends_by_itself(portal: PortalFixture) -> None:
    """From the day after its last day."""
    await make_delegate(portal, "consents")
    portal.clock.advance(timedelta(days=32))
    wang = await portal.signed_in("wang")
    assert (await wang.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 404


async def test_an_invitation_works_once_and_for_seven_days(portal: PortalFixture) -> None:
    """Neither a second person nor the same link after a week."""
    made = await appoint(portal, await portal.signed_in(), portal.firm, "codes")
    link = LINK.findall(made.text)[0]
    assert (await accept_invitation(await portal.signed_in("wang"), link)).status_code == 303
    assert (await (await portal.signed_in("none")).get(link)).status_code == 410
    late = LINK.findall(
        (await appoint(portal, await portal.signed_in(), portal.firm, "codes")).text
    )[0]
    portal.clock.advance(timedelta(days=7, seconds=1))
    assert (await (await portal.signed_in("none")).get(late)).status_code == 410
    async with portal.engine.connect() as connection:
        rows = await connection.execute(text("SELECT to_jsonb(d)::text FROM delegation_locator d"))
        assert not any(link.rpartition("/")[2] in row for row in rows.scalars())
        names = await connection.execute(
            text("SELECT encode(name || accepted_name, 'escape') FROM delegation")
        )
        assert not any("小王" in name or "王五" in name for name in names.scalars() if name)


async def test_an_own_invitation_cannot_be_accepted(portal: PortalFixture) -> None:
    """The representative would delegate to themselves."""
    boss = await portal.signed_in()
    link = LINK.findall((await appoint(portal, boss, portal.firm, "codes")).text)[0]
    page = (await boss.get(link)).text
    assert "不能自己接受" in page
    assert f'action="{link}"' not in page


@pytest.mark.parametrize(
    "form",
    [
        {"power": []},
        {"power": ["consents", "manage"]},
        {"power": ["in_person"]},
        {"name": ""},
        {"name": "x" * 41},
        {"last_day": "2020-01-01"},
        {"last_day": "2028-01-01"},
        {"last_day": "soon"},
    ],
)
async def test_undelegable_permissions_are_refused(
    portal: PortalFixture, form: dict[str, Any]
) -> None:
    """Invalid or missing values make no invitation."""
    answer = await appoint(
        portal, await portal.signed_in(), portal.firm, **({"power": ["codes"]} | form)
    )
    assert answer.status_code == 422
    assert not LINK.search(answer.text)


async def test_a_double_click_makes_one_invitation(portal: PortalFixture) -> None:
    """The second response says so."""
    boss = await portal.signed_in()
    page = (await boss.get(f"/portal/enterprises/{portal.firm}/delegates/new")).text
    action = re.findall(r'action="(/portal/enterprises/[^"]+/new/[^"]+)"', page)[0]
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    data = hidden_fields(page, action) | {"name": "小王", "power": "codes", "last_day": last_day}
    first, second = [await boss.post(action, data=data) for _ in range(2)]
    assert (first.status_code, second.status_code) == (200, 303)


async def test_questions_on_a_persons_id_are_not_a_delegates(portal: PortalFixture) -> None:
    """Not offered; a forged form is refused completely."""
    wang = await make_delegate(portal, "consents")
    interaction = await portal.ask()
    address = f"/portal/decide/{interaction}"
    page = (await wang.get(f"{address}?uscc={portal.firm}")).text
    assert 'value="legal_representative_id.v1"' not in page
    assert "须由法定代表人" in page
    forged = hidden_fields(page, address) | {
        "decision": "grant",
        "dataset": "penalty",
        "question": "legal_representative_id.v1",
    }
    answer = await wang.post(address, data=forged)
    assert "须由法定代表人（经营者）本人决定的内容" in answer.text
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    honest = forged | {"last_day": last_day, "max_uses": "1"}
    del honest["question"]
    assert "/oauth/resume" in (await wang.post(address, data=honest)).headers["location"]


async def test_a_delegate_gives_no_natural_persons_separate_consent(portal: PortalFixture) -> None:
    """Not offered, and a forged form is refused whole; the rest a delegate may grant."""
    wang = await make_delegate(portal, "consents", uscc=portal.shop, boss="shopkeeper")
    consent_id = await request_by_link(portal, portal.shop, "registration", "penalty")
    page = (await wang.get(f"/portal/asked/{consent_id}")).text
    assert 'name="separate"' not in page
    assert "经办人不能代为同意" in page
    last_day = (portal.clock() + timedelta(days=1)).date().isoformat()
    honest: dict[str, Any] = {"dataset": ["registration"], "last_day": last_day}
    forged = honest | {"separate": ["registration.phone"]}
    answer = await decide(wang, consent_id, decision="grant", **forged)
    assert "须由法定代表人（经营者）本人决定的内容" in answer.text
    assert (await read_consent(portal, consent_id)).status is Status.REQUESTED
    await decide(wang, consent_id, decision="grant", **honest)
    granted = await read_consent(portal, consent_id)
    assert (granted.status, granted.separate_consents) == (Status.ACTIVE, ())
    assert not {"registration.phone", "registration.legal_representative"} & set(
        granted.fields or ()
    )


async def test_a_delegate_cannot_resume_an_operators_pause(portal: PortalFixture) -> None:
    """A natural person's disclosures are resumed by that person."""
    owner = await portal.signed_in("shopkeeper")
    consent_id = await request_by_link(portal, portal.shop, "registration")
    last_day = (portal.clock() + timedelta(days=30)).date().isoformat()
    ticked: dict[str, Any] = {"dataset": ["registration"], "separate": ["registration.phone"]}
    await decide(owner, consent_id, decision="grant", last_day=last_day, **ticked)
    wang = await make_delegate(portal, "consents", uscc=portal.shop, boss="shopkeeper")
    for verb, status in (("pause", Status.PAUSED), ("resume", Status.PAUSED)):
        page = (await wang.get(f"/portal/consents/{consent_id}")).text
        address = f"/portal/consents/{consent_id}/{verb}"
        await wang.post(address, data=hidden_fields(page, address))
        assert (await read_consent(portal, consent_id)).status is status


async def test_a_new_representative_ends_the_delegates_without_a_delivery(
    portal: PortalFixture,
) -> None:
    """Even if the change did not go through ingest."""
    wang = await make_delegate(portal, "consents")
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("UPDATE enterprise SET legal_representative = '钱七' WHERE uscc = :uscc"),
            {"uscc": portal.firm},
        )
    assert (await wang.get(f"/portal/enterprises/{portal.firm}/consents")).status_code == 404


async def test_a_role_that_is_not_the_legal_representatives_gives_nothing_and_says_how(
    portal: PortalFixture,
) -> None:
    """No page of the firm; start page and request name who can appoint."""
    clerk = await portal.signed_in("clerk")
    home = await clerk.get("/portal")
    assert home.status_code == 200
    assert "杭州云栖" not in home.text
    assert "邀请您" in home.text
    for page in ("consents", "looks", "record", "codes", "objections", "delegates"):
        answer = await clerk.get(f"/portal/enterprises/{portal.firm}/{page}")
        assert answer.status_code == 404, page
    for address in (
        f"/portal/decide/{await portal.ask()}",
        f"/portal/asked/{await request_by_link(portal, portal.firm)}",
    ):
        refused = await clerk.get(address)
        assert (refused.status_code, "邀请您" in refused.text) == (403, True)
    assert "invite you" in (await clerk.get("/portal?lang=en")).text


async def test_a_role_that_the_operator_lists_acts_as_a_delegate_from_the_next_request_on(
    portal: PortalFixture,
) -> None:
    """With delegable permissions, from the next request, until it is removed from the list."""
    clerk = await portal.signed_in("clerk")
    at, before = f"/portal/enterprises/{portal.firm}", portal.runtime
    listed = before.settings.model_copy(update={"identity_delegate_roles": ("agent",)})
    portal.app.state.runtime = replace(before, settings=listed)
    for page, status in {"consents": 200, "record": 200, "delegates": 404, "notices": 404}.items():
        assert (await clerk.get(f"{at}/{page}")).status_code == status, page
    portal.app.state.runtime = before
    assert (await clerk.get(f"{at}/consents")).status_code == 404
