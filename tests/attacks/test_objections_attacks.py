"""Objections in the portal: IDOR, CSRF, XSS, double submission."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import httpx2
import pytest
import pytest_asyncio

from gateway.creditfile.objections import service
from gateway.creditfile.objections import store as objections
from gateway.creditfile.objections.model import Actor, Objection, ObjectionOutcome, Role, Status
from tests.creditfile_builders import make_record
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal
from tests.portal_steps import forged_token

MARKUP: Final = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}</textarea>"
WORDS: Final = {"text": "罚款已经撤销。", "wanted": "撤下。"}


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running portal; the firm has a penalty and a rating, the shop a penalty."""
    async with open_portal(migrated_url, tmp_path) as made:
        await made.add_records(
            make_record(uscc=made.firm, record_id="rec_p"),
            make_record(
                "public_rating",
                uscc=made.firm,
                record_id="rec_r",
                model_version="2026",
                indicators=[{"indicator": "penalties", "points": 100, "reason_codes": ["L12"]}],
            ),
            make_record(uscc=made.shop, record_id="rec_s"),
        )
        yield made


def form_at(uscc: str, record_id: str = "rec_p") -> str:
    """URL of the form."""
    return f"/portal/enterprises/{uscc}/records/{record_id}/object"


async def raise_objection(portal: PortalFixture, browser: httpx2.AsyncClient, **words: str) -> str:
    """URL of an objection raised on the page."""
    address = form_at(portal.firm)
    form = hidden_fields((await browser.get(address)).text, address)
    answer = await browser.post(address, data=form | WORDS | words)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"].partition("?")[0])


async def objections_of(portal: PortalFixture, uscc: str) -> list[Objection]:
    """Objections of an enterprise."""
    async with portal.engine.connect() as connection:
        return await objections.of_enterprise(connection, uscc)


async def test_pages_about_another_enterprise_and_about_none_look_the_same(
    portal: PortalFixture,
) -> None:
    """IDOR: file, records and objections, by every address."""
    owner, stranger = await portal.signed_in("zhang"), await portal.signed_in("wang")
    own = await raise_objection(portal, owner)
    invented = f"/portal/objections/obj_{'a' * 26}"
    firm, other = portal.firm, portal.unknown
    for theirs, unknown in (
        (f"/portal/enterprises/{firm}/record", f"/portal/enterprises/{other}/record"),
        (f"/portal/enterprises/{firm}/objections", f"/portal/enterprises/{other}/objections"),
        (f"/portal/enterprises/{firm}/records/rec_p", f"/portal/enterprises/{other}/records/x"),
        (form_at(firm), form_at(other)),
        (own, invented),
        (f"{own}/withdraw", f"{invented}/withdraw"),
        (f"{own}/review", f"{invented}/review"),
    ):
        first, second = await stranger.get(theirs), await stranger.get(unknown)
        assert (first.status_code, second.status_code) == (404, 404), theirs
        assert first.text == second.text


async def test_acts_on_what_belongs_to_another_change_nothing(portal: PortalFixture) -> None:
    """IDOR with a valid token for that address."""
    owner, stranger = await portal.signed_in("zhang"), await portal.signed_in("wang")
    own = await raise_objection(portal, owner)
    objection_id = own.rpartition("/")[2]
    for address, purpose in (
        (form_at(portal.firm, "rec_r"), f"object {portal.firm} rec_r"),
        (f"{own}/withdraw", f"withdraw {objection_id}"),
        (f"{own}/review", f"review {objection_id}"),
    ):
        answer = await stranger.post(
            address, data=await forged_token(portal, stranger, purpose) | WORDS
        )
        assert answer.status_code == 404, address
    assert [each.status for each in await objections_of(portal, portal.firm)] == [Status.OPEN]


async def test_an_appeal_contests_only_what_its_form_offers(portal: PortalFixture) -> None:
    """Reason codes of that rating; of other records nothing is offered."""
    browser = await portal.signed_in("zhang")
    address = form_at(portal.firm, "rec_r")
    page = (await browser.get(address)).text
    assert 'value="penalties/L12"' in page
    assert 'value="tax/F11"' not in page
    assert "contests" not in (await browser.get(form_at(portal.firm))).text
    form = hidden_fields(page, address) | WORDS
    for made_up in ("tax/F11", "penalties/L13", MARKUP):
        answer = await browser.post(address, data=form | {"contests": made_up})
        assert answer.status_code == 404, made_up
    assert await objections_of(portal, portal.firm) == []
    answer = await browser.post(address, data=form | {"contests": "penalties/L12"})
    assert answer.status_code == 303, answer.text
    (raised,) = await objections_of(portal, portal.firm)
    assert str(raised.contests) == "penalties/L12"
    shown = (await browser.get(answer.headers["location"])).text
    assert "行政处罚 · L12 有公示期内的行政处罚" in shown


async def test_a_record_of_one_enterprise_is_not_reached_through_another(
    portal: PortalFixture,
) -> None:
    """The attacker's enterprise in the path, another's record behind it."""
    browser = await portal.signed_in("li")  # may act for both
    stranger = await portal.signed_in("shopkeeper")  # for the shop alone
    for who in (browser, stranger):
        address = form_at(portal.shop, "rec_p")
        assert (await who.get(address)).status_code == 404
        token = await forged_token(portal, who, f"object {portal.shop} rec_p")
        assert (await who.post(address, data=token | WORDS)).status_code == 404
    assert await objections_of(portal, portal.shop) == []
    assert await objections_of(portal, portal.firm) == []


@pytest.mark.parametrize("record_id", ["rec_unknown", "%00", "..%2f..", "rec_p%27--", "a" * 500])
async def test_ids_that_are_none_find_nothing(portal: PortalFixture, record_id: str) -> None:
    """404."""
    browser = await portal.signed_in()
    for address in (
        form_at(portal.firm, record_id),
        f"/portal/enterprises/{portal.firm}/records/{record_id}",
        f"/portal/objections/{record_id}",
        f"/portal/objections/{record_id}/review",
        f"/portal/enterprises/{portal.firm}/record?dataset={record_id}",
        f"/portal/enterprises/{portal.firm}/record?dataset=penalty&after={record_id}",
    ):
        refused = {400} if "\0" in unquote(address) else {404}
        assert (await browser.get(address)).status_code in refused, address
    token = await forged_token(portal, browser, f"object {portal.firm} {unquote(record_id)}")
    answer = await browser.post(form_at(portal.firm, record_id), data=token | WORDS)
    assert answer.status_code in {400, 403, 404}
    assert await objections_of(portal, portal.firm) == []


@pytest.mark.parametrize("csrf", ["", "0" * 64])
async def test_a_form_without_our_token_does_nothing(portal: PortalFixture, csrf: str) -> None:
    """CSRF, to raise and to withdraw."""
    browser = await portal.signed_in()
    answer = await browser.post(form_at(portal.firm), data=WORDS | {"csrf": csrf})
    assert answer.status_code == 403
    assert await objections_of(portal, portal.firm) == []
    own = await raise_objection(portal, browser)
    for verb in ("withdraw", "review"):
        assert (await browser.post(f"{own}/{verb}", data={"csrf": csrf})).status_code == 403
    assert [each.status for each in await objections_of(portal, portal.firm)] == [Status.OPEN]


async def test_a_form_from_another_site_does_nothing(portal: PortalFixture) -> None:
    """Even with a valid token."""
    browser = await portal.signed_in()
    address = form_at(portal.firm)
    form = hidden_fields((await browser.get(address)).text, address)
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await browser.post(address, data=form | WORDS, headers=headers)).status_code == 403
    assert await objections_of(portal, portal.firm) == []


async def test_two_tabs_and_a_double_click_raise_one_objection(portal: PortalFixture) -> None:
    """Each response leads to it."""
    browser, other = await portal.signed_in(), await portal.signed_in("li")
    address = form_at(portal.firm)
    one, two = [
        hidden_fields((await b.get(address)).text, address) | WORDS for b in (browser, other)
    ]
    answers = await asyncio.gather(
        *(browser.post(address, data=one) for _ in range(3)),
        *(other.post(address, data=two) for _ in range(3)),
    )
    assert {each.status_code for each in answers} == {303}
    assert len({each.headers["location"].partition("?")[0] for each in answers}) == 1
    assert len(await objections_of(portal, portal.firm)) == 1
    notices = sorted(each.headers["location"].partition("=")[2] for each in answers)
    assert notices == ["already"] * 5 + ["raised"]


async def test_ending_it_twice_is_harmless(portal: PortalFixture) -> None:
    """The second response shows the state."""
    browser = await portal.signed_in()
    own = await raise_objection(portal, browser)
    form = hidden_fields((await browser.get(f"{own}/withdraw")).text, f"{own}/withdraw")
    first, second = [await browser.post(f"{own}/withdraw", data=form) for _ in range(2)]
    assert first.headers["location"].endswith("notice=withdraw")
    assert second.headers["location"].endswith("notice=too_late")
    async with portal.engine.connect() as connection:
        (only,) = await objections_of(portal, portal.firm)
        events = await objections.events_of(connection, portal.firm, only.objection_id)
    assert [each.what.value for each in events] == ["raised", "withdrawn"]


async def test_markup_in_every_text_is_shown_as_text(portal: PortalFixture) -> None:
    """Stored and reflected XSS: text, wish, reasons, review, record and source."""
    await portal.add_records(
        make_record(
            uscc=portal.firm,
            record_id="rec_x",
            facts=MARKUP,
            violation_type=MARKUP,
            source_name=MARKUP,
            document_number=MARKUP,
        )
    )
    browser = await portal.signed_in()
    address = form_at(portal.firm, "rec_x")
    form = hidden_fields((await browser.get(address)).text, address)
    reflected = await browser.post(address, data=form | {"text": "", "wanted": MARKUP})
    assert reflected.status_code == 422
    made = await browser.post(address, data=form | {"text": MARKUP, "wanted": MARKUP})
    own = made.headers["location"].partition("?")[0]
    verb = service.source_decision(
        portal.runtime.catalogue,
        actor=Actor(role=Role.SOURCE, name="client:source", party="source"),
        outcome=ObjectionOutcome.REJECTED,
        reasons=MARKUP,
        now=portal.clock(),
    )
    async with portal.engine.begin() as connection:
        assert isinstance(
            await service.apply_act(connection, own.rpartition("/")[2], verb), Objection
        )
    review = hidden_fields((await browser.get(f"{own}/review")).text, f"{own}/review")
    pages = [reflected, await browser.get(f"{own}/review"), await browser.get(f"{own}/withdraw")]
    await browser.post(f"{own}/review", data=review | {"text": MARKUP})
    pages += [
        await browser.get(path)
        for path in (
            own,
            f"{own}?notice={MARKUP}",
            f"/portal/enterprises/{portal.firm}/record",
            f"/portal/enterprises/{portal.firm}/records/rec_x",
            f"/portal/enterprises/{portal.firm}/objections",
        )
    ]
    for page in pages:
        assert page.status_code in {200, 422}
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert ">49<" not in page.text
        assert "script-src" not in page.headers["content-security-policy"] or re.search(
            r"script-src 'none'", page.headers["content-security-policy"]
        )


async def test_the_typed_text_stays_after_a_refusal(portal: PortalFixture) -> None:
    """The form is shown again, and nothing is raised."""
    browser = await portal.signed_in()
    address = form_at(portal.firm)
    form = hidden_fields((await browser.get(address)).text, address)
    answer = await browser.post(address, data=form | {"text": "", "wanted": "请改为三千元"})
    assert answer.status_code == 422
    assert "请改为三千元" in answer.text
    long = await browser.post(address, data=form | {"text": "误" * 1_501, "wanted": ""})
    assert long.status_code == 422
    assert await objections_of(portal, portal.firm) == []


async def test_without_sign_in_pages_and_forms_are_refused(portal: PortalFixture) -> None:
    """Pages lead to sign-in; forms are refused."""
    own = await raise_objection(portal, await portal.signed_in())
    nobody = portal.browser()
    for path in (
        own,
        f"{own}/review",
        form_at(portal.firm),
        f"/portal/enterprises/{portal.firm}/record",
    ):
        answer = await nobody.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/portal/sign-in")
    assert (await nobody.post(f"{own}/withdraw", data={})).status_code == 403
