"""Objections under attack: other people's records and ids, forged forms, markup, two tabs."""

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
from gateway.identity import sessions
from tests.creditfile_builders import a_record
from tests.portal_house import House, a_house, hidden

MARKUP: Final = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}</textarea>"
WORDS: Final = {"text": "罚款已经撤销。", "wanted": "撤下。"}


@pytest_asyncio.fixture
async def house(migrated_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A running portal; the firm has a penalty and a rating, the shop a penalty."""
    async with a_house(migrated_url, tmp_path) as made:
        await made.add_records(
            a_record(uscc=made.firm, record_id="rec_p"),
            a_record("public_rating", uscc=made.firm, record_id="rec_r"),
            a_record(uscc=made.shop, record_id="rec_s"),
        )
        yield made


def form_at(uscc: str, record_id: str = "rec_p") -> str:
    """The address of the form."""
    return f"/portal/enterprises/{uscc}/records/{record_id}/object"


async def raised(house: House, browser: httpx2.AsyncClient, **words: str) -> str:
    """Object on the page; gives the objection's address."""
    address = form_at(house.firm)
    form = hidden((await browser.get(address)).text, address)
    answer = await browser.post(address, data=form | WORDS | words)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"].partition("?")[0])


async def held(house: House, uscc: str) -> list[Objection]:
    """Every objection of an enterprise."""
    async with house.engine.connect() as connection:
        return await objections.of_enterprise(connection, uscc)


async def forged(house: House, browser: httpx2.AsyncClient, purpose: str) -> dict[str, str]:
    """A token of the attacker's own session for a form that it was never shown."""
    cookie = browser.cookies[sessions.cookie_name(house.runtime.settings)]
    return {"csrf": sessions.csrf_token(house.runtime.digests, cookie, purpose)}


async def test_pages_about_another_enterprise_and_about_none_look_the_same(house: House) -> None:
    """IDOR: its file, its records, its objections, by every address there is."""
    owner, stranger = await house.signed_in("zhang"), await house.signed_in("wang")
    own = await raised(house, owner)
    unknown = f"/portal/objections/obj_{'a' * 26}"
    firm, nobody = house.firm, house.nobody
    for theirs, nobodys in (
        (f"/portal/enterprises/{firm}/record", f"/portal/enterprises/{nobody}/record"),
        (f"/portal/enterprises/{firm}/objections", f"/portal/enterprises/{nobody}/objections"),
        (f"/portal/enterprises/{firm}/records/rec_p", f"/portal/enterprises/{nobody}/records/x"),
        (form_at(firm), form_at(nobody)),
        (own, unknown),
        (f"{own}/withdraw", f"{unknown}/withdraw"),
        (f"{own}/review", f"{unknown}/review"),
    ):
        first, second = await stranger.get(theirs), await stranger.get(nobodys)
        assert (first.status_code, second.status_code) == (404, 404), theirs
        assert first.text == second.text


async def test_acts_on_what_belongs_to_another_change_nothing(house: House) -> None:
    """IDOR with a token of one's own for that very address."""
    owner, stranger = await house.signed_in("zhang"), await house.signed_in("wang")
    own = await raised(house, owner)
    objection_id = own.rpartition("/")[2]
    for address, purpose in (
        (form_at(house.firm, "rec_r"), f"object {house.firm} rec_r"),
        (f"{own}/withdraw", f"withdraw {objection_id}"),
        (f"{own}/review", f"review {objection_id}"),
    ):
        answer = await stranger.post(address, data=await forged(house, stranger, purpose) | WORDS)
        assert answer.status_code == 404, address
    assert [each.status for each in await held(house, house.firm)] == [Status.OPEN]


async def test_a_record_of_one_enterprise_is_not_reached_through_another(house: House) -> None:
    """One's own enterprise in the address, another's record behind it."""
    browser = await house.signed_in("li")  # may act for both
    stranger = await house.signed_in("shopkeeper")  # for the shop alone
    for who in (browser, stranger):
        address = form_at(house.shop, "rec_p")
        assert (await who.get(address)).status_code == 404
        token = await forged(house, who, f"object {house.shop} rec_p")
        assert (await who.post(address, data=token | WORDS)).status_code == 404
    assert await held(house, house.shop) == []
    assert await held(house, house.firm) == []


@pytest.mark.parametrize("record_id", ["rec_unknown", "%00", "..%2f..", "rec_p%27--", "a" * 500])
async def test_ids_that_are_none_find_nothing(house: House, record_id: str) -> None:
    """Whatever stands in the address."""
    browser = await house.signed_in()
    for address in (
        form_at(house.firm, record_id),
        f"/portal/enterprises/{house.firm}/records/{record_id}",
        f"/portal/objections/{record_id}",
        f"/portal/objections/{record_id}/review",
        f"/portal/enterprises/{house.firm}/record?dataset={record_id}",
        f"/portal/enterprises/{house.firm}/record?dataset=penalty&after={record_id}",
    ):
        refused = {400} if "\0" in unquote(address) else {404}
        assert (await browser.get(address)).status_code in refused, address
    token = await forged(house, browser, f"object {house.firm} {unquote(record_id)}")
    answer = await browser.post(form_at(house.firm, record_id), data=token | WORDS)
    assert answer.status_code in {400, 403, 404}
    assert await held(house, house.firm) == []


@pytest.mark.parametrize("csrf", ["", "0" * 64])
async def test_a_form_without_our_token_does_nothing(house: House, csrf: str) -> None:
    """CSRF, to raise and to end."""
    browser = await house.signed_in()
    answer = await browser.post(form_at(house.firm), data=WORDS | {"csrf": csrf})
    assert answer.status_code == 403
    assert await held(house, house.firm) == []
    own = await raised(house, browser)
    for verb in ("withdraw", "review"):
        assert (await browser.post(f"{own}/{verb}", data={"csrf": csrf})).status_code == 403
    assert [each.status for each in await held(house, house.firm)] == [Status.OPEN]


async def test_a_form_from_another_site_does_nothing(house: House) -> None:
    """Even with our token."""
    browser = await house.signed_in()
    address = form_at(house.firm)
    form = hidden((await browser.get(address)).text, address)
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert (await browser.post(address, data=form | WORDS, headers=headers)).status_code == 403
    assert await held(house, house.firm) == []


async def test_two_tabs_and_a_double_click_raise_one_objection(house: House) -> None:
    """All lead to it."""
    browser, other = await house.signed_in(), await house.signed_in("li")
    address = form_at(house.firm)
    one, two = [hidden((await b.get(address)).text, address) | WORDS for b in (browser, other)]
    answers = await asyncio.gather(
        *(browser.post(address, data=one) for _ in range(3)),
        *(other.post(address, data=two) for _ in range(3)),
    )
    assert {each.status_code for each in answers} == {303}
    assert len({each.headers["location"].partition("?")[0] for each in answers}) == 1
    assert len(await held(house, house.firm)) == 1
    notices = sorted(each.headers["location"].partition("=")[2] for each in answers)
    assert notices == ["already"] * 5 + ["raised"]


async def test_ending_it_twice_is_harmless(house: House) -> None:
    """Two tabs; the second is told how it stands."""
    browser = await house.signed_in()
    own = await raised(house, browser)
    form = hidden((await browser.get(f"{own}/withdraw")).text, f"{own}/withdraw")
    first, second = [await browser.post(f"{own}/withdraw", data=form) for _ in range(2)]
    assert first.headers["location"].endswith("notice=withdraw")
    assert second.headers["location"].endswith("notice=too_late")
    async with house.engine.connect() as connection:
        (only,) = await held(house, house.firm)
        events = await objections.events_of(connection, house.firm, only.objection_id)
    assert [each.what.value for each in events] == ["raised", "withdrawn"]


async def test_markup_in_every_text_is_shown_as_text(house: House) -> None:
    """Stored and reflected XSS: text, wish, reasons, review, record and source."""
    await house.add_records(
        a_record(
            uscc=house.firm,
            record_id="rec_x",
            facts=MARKUP,
            violation_type=MARKUP,
            source_name=MARKUP,
            document_number=MARKUP,
        )
    )
    browser = await house.signed_in()
    address = form_at(house.firm, "rec_x")
    form = hidden((await browser.get(address)).text, address)
    reflected = await browser.post(address, data=form | {"text": "", "wanted": MARKUP})
    assert reflected.status_code == 422
    made = await browser.post(address, data=form | {"text": MARKUP, "wanted": MARKUP})
    own = made.headers["location"].partition("?")[0]
    verb = service.source_decision(
        house.runtime.catalogue,
        actor=Actor(role=Role.SOURCE, name="client:source", party="source"),
        outcome=ObjectionOutcome.REJECTED,
        reasons=MARKUP,
        now=house.clock(),
    )
    async with house.engine.begin() as connection:
        assert isinstance(
            await service.apply_act(connection, own.rpartition("/")[2], verb), Objection
        )
    review = hidden((await browser.get(f"{own}/review")).text, f"{own}/review")
    pages = [reflected, await browser.get(f"{own}/review"), await browser.get(f"{own}/withdraw")]
    await browser.post(f"{own}/review", data=review | {"text": MARKUP})
    pages += [
        await browser.get(path)
        for path in (
            own,
            f"{own}?notice={MARKUP}",
            f"/portal/enterprises/{house.firm}/record",
            f"/portal/enterprises/{house.firm}/records/rec_x",
            f"/portal/enterprises/{house.firm}/objections",
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


async def test_what_was_typed_stays_when_it_cannot_be_taken(house: House) -> None:
    """And nothing was raised."""
    browser = await house.signed_in()
    address = form_at(house.firm)
    form = hidden((await browser.get(address)).text, address)
    answer = await browser.post(address, data=form | {"text": "", "wanted": "请改为三千元"})
    assert answer.status_code == 422
    assert "请改为三千元" in answer.text
    long = await browser.post(address, data=form | {"text": "误" * 1_501, "wanted": ""})
    assert long.status_code == 422
    assert await held(house, house.firm) == []


async def test_nobody_who_is_not_signed_in_sees_or_does_anything(house: House) -> None:
    """A page leads to the sign-in, a form does nothing."""
    own = await raised(house, await house.signed_in())
    nobody = house.browser()
    for path in (
        own,
        f"{own}/review",
        form_at(house.firm),
        f"/portal/enterprises/{house.firm}/record",
    ):
        answer = await nobody.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/portal/sign-in")
    assert (await nobody.post(f"{own}/withdraw", data={})).status_code == 403
