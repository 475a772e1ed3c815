"""Portal pages that issue a code for a sign and reissue one that is out of date."""

import re
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import text, update

from gateway.codes import service, store
from gateway.codes.model import Code
from gateway.creditfile.tables import enterprise
from tests.portal_fixture import PortalFixture, hidden_fields, sign_in


async def fill_form(
    portal: PortalFixture, browser: httpx2.AsyncClient, **fields: str
) -> httpx2.Response:
    """Post the form that issues a code for the firm."""
    address = f"/portal/enterprises/{portal.firm}/codes/new"
    hidden = hidden_fields((await browser.get(address)).text, address)
    return await browser.post(address, data=hidden | {"sign_name": "云栖小店"} | fields)


async def reissue(
    browser: httpx2.AsyncClient, code: Code | None, code_id: str = "", **fields: str
) -> httpx2.Response:
    """Post the form that replaces a code."""
    address = f"/portal/codes/{code.code_id if code else code_id}/reissue"
    hidden = hidden_fields((await browser.get(address)).text, address)
    return await browser.post(address, data=hidden | {"sign_name": "云栖小店"} | fields)


async def codes_of(portal: PortalFixture) -> list[Code]:
    """The firm's codes."""
    async with portal.engine.connect() as connection:
        return await store.list_codes(connection, portal.firm)


async def rename(portal: PortalFixture, **changed: str) -> None:
    """Change the firm's registration."""
    async with portal.engine.begin() as connection:
        await connection.execute(
            update(enterprise).where(enterprise.c.uscc == portal.firm).values(changed)
        )


async def test_an_owner_issues_a_code_for_a_sign(portal: PortalFixture) -> None:
    """With its label and term; the person and the sign-in are kept with it."""
    browser = await portal.signed_in()
    done = await fill_form(portal, browser, label="南门", last_day="2027-01-31")
    assert done.status_code == 303
    shown = (await browser.get(done.headers["location"])).text
    for words in ("云栖小店", "南门", "2027-01-31 24:00", "已签发"):
        assert words in shown
    (code,) = await codes_of(portal)
    assert (code.issued_by, code.printed_name) == ("demo:zhang", "杭州云栖数据科技有限公司")
    async with portal.engine.connect() as connection:
        kept = await connection.execute(
            text("SELECT issued_token_digest FROM enterprise_code WHERE uscc = :u"),
            {"u": portal.firm},
        )
        session = await connection.execute(text("SELECT identity_token_digest FROM session"))
        assert kept.scalar_one() in set(session.scalars())
    assert (await browser.get(f"/E/{code.code_id}")).status_code == 200


async def test_a_form_that_is_posted_twice_issues_one_code(portal: PortalFixture) -> None:
    """A double click leads to the same code."""
    browser = await portal.signed_in()
    address = f"/portal/enterprises/{portal.firm}/codes/new"
    form = hidden_fields((await browser.get(address)).text, address) | {"sign_name": "云栖小店"}
    first, again = [await browser.post(address, data=form) for _ in range(2)]
    assert first.headers["location"] == again.headers["location"]
    assert len(await codes_of(portal)) == 1


async def test_a_form_that_is_changed_and_posted_again_issues_another_code(
    portal: PortalFixture,
) -> None:
    """Another sign, label or term (after "back") never leads to the code of the first."""
    browser = await portal.signed_in()
    address = f"/portal/enterprises/{portal.firm}/codes/new"
    form = hidden_fields((await browser.get(address)).text, address) | {"sign_name": "云栖小店"}
    changes: list[dict[str, str]] = [
        {},
        {"sign_name": "云栖分店"},
        {"label": "北门"},
        {"last_day": "2027-01-31"},
    ]
    answers = [await browser.post(address, data=form | each) for each in changes]
    assert len({each.headers["location"] for each in answers}) == len(changes)
    assert {(each.sign_name, each.label) for each in await codes_of(portal)} == {
        ("云栖小店", ""),
        ("云栖分店", ""),
        ("云栖小店", "北门"),
    }


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"sign_name": "  "}, "sign_name", "请填写店招名称"),
        ({"sign_name": "店" * 41}, "sign_name", "字数过多"),
        ({"sign_name": "云\u202e栖"}, "sign_name", "无法印出"),
        ({"sign_name": "云栖小店13800138000"}, "sign_name", "电话号码"),
        ({"sign_name": "✓ 云栖小店"}, "sign_name", "请去掉"),
        ({"sign_name": "12315 官方"}, "sign_name", "请只写店名"),
        ({"label": "门" * 21}, "label", "字数过多"),
        ({"last_day": "tomorrow"}, "last_day", "十年以内"),
    ],
)
async def test_a_refused_form_keeps_what_was_typed(
    portal: PortalFixture, fields: dict[str, str], field: str, words: str
) -> None:
    """It says what to mend, beside the field, and issues nothing."""
    answer = await fill_form(portal, await portal.signed_in(), **fields)
    assert answer.status_code == 422
    assert words in answer.text
    (marked,) = re.findall(r'<input [^>]*name="(\w+)"[^>]*aria-invalid="true"', answer.text)
    assert marked == field
    assert await codes_of(portal) == []


@pytest.mark.parametrize("last_day", ["2026-11-20", "2099-01-01"])
async def test_a_term_ends_within_ten_years(portal: PortalFixture, last_day: str) -> None:
    """Neither yesterday nor in a century."""
    answer = await fill_form(portal, await portal.signed_in(), last_day=last_day)
    assert answer.status_code == 422
    assert "十年以内" in answer.text


async def test_a_flood_of_codes_is_bounded(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the valid ones, and by those of a day, revoked ones included."""
    monkeypatch.setattr(service, "MOST_VALID", 1)
    monkeypatch.setattr(service, "MOST_A_DAY", 2)
    browser = await portal.signed_in()
    assert (await fill_form(portal, browser)).status_code == 303
    assert "请先作废" in (await fill_form(portal, browser)).text
    for code in await codes_of(portal):
        await portal.revoke_code(code)
    assert (await fill_form(portal, browser)).status_code == 303
    for code in await codes_of(portal):
        if code.revoked_at is None:
            await portal.revoke_code(code)
    assert "请明天再试" in (await fill_form(portal, browser)).text
    assert len(await codes_of(portal)) == 2


async def test_a_sticker_is_out_of_date_after_a_change_of_name(portal: PortalFixture) -> None:
    """The list and the code say so; a reissue ends it, and the old number leads to no new one."""
    browser = await portal.signed_in()
    old = await portal.add_code(portal.firm)
    page = f"/portal/enterprises/{portal.firm}/codes"
    assert "与登记不符" not in (await browser.get(page)).text
    await rename(portal, name="杭州云栖科技集团有限公司", division="330110")
    assert "1 张贴纸与现在的登记不符" in (await browser.get(page)).text
    shown = (await browser.get(f"/portal/codes/{old.code_id}")).text
    assert "登记名称、行政区划" in shown
    assert 'id="print"' not in shown, "it is reissued, not printed again"
    done = await reissue(browser, old, sign_name="云栖旗舰店")
    new_id = done.headers["location"].partition("?")[0].rpartition("/")[2]
    assert "已换发" in (await browser.get(done.headers["location"])).text
    assert "与现在的登记不符" not in (await browser.get(page)).text
    replaced = await browser.get(f"/portal/codes/{old.code_id}")
    assert f"/portal/codes/{new_id}" in replaced.text
    scanned = await portal.browser().get(f"/E/{old.code_id}")
    assert scanned.status_code == 410
    assert new_id not in scanned.text


async def test_a_reissue_that_is_posted_twice_leads_to_the_new_code(portal: PortalFixture) -> None:
    """No second code."""
    browser = await portal.signed_in()
    old = await portal.add_code(portal.firm)
    address = f"/portal/codes/{old.code_id}/reissue"
    form = hidden_fields((await browser.get(address)).text, address) | {"sign_name": "云栖小店"}
    first, again = [await browser.post(address, data=form) for _ in range(2)]
    new_page = first.headers["location"].partition("?")[0]
    assert again.headers["location"] == new_page
    assert len(await codes_of(portal)) == 2


async def test_a_reissue_keeps_the_term_unless_it_is_changed(portal: PortalFixture) -> None:
    """The form is filled with what the sticker says."""
    browser = await portal.signed_in()
    issued = await fill_form(portal, browser, label="南门", last_day="2027-01-31")
    address = issued.headers["location"].partition("?")[0] + "/reissue"
    form = (await browser.get(address)).text
    for value in ("云栖小店", "南门", "2027-01-31"):
        assert f'value="{value}"' in form


async def test_a_revoked_code_is_not_reissued(portal: PortalFixture) -> None:
    """Its page offers a new code; an expired one may be reissued."""
    browser = await portal.signed_in()
    gone = await portal.add_code(portal.firm)
    await portal.revoke_code(gone)
    page = await browser.get(f"/portal/codes/{gone.code_id}/reissue")
    assert "不能换发" in page.text
    assert "<form method" not in page.text.partition("<main")[2]
    async with portal.engine.begin() as connection:
        brief = await store.issue(
            connection,
            portal.firm,
            "云栖小店",
            expires_at=portal.clock() + timedelta(minutes=1),
            now=portal.clock(),
        )
    with portal.clock.later(minutes=2):
        assert "可以换发" in (await browser.get(f"/portal/codes/{brief.code_id}")).text
        done = await reissue(browser, brief)
        assert done.status_code == 303
        assert (await browser.get(done.headers["location"])).status_code == 200


async def test_a_form_survives_the_end_of_the_session(portal: PortalFixture) -> None:
    """What was typed is there again after sign-in."""
    browser = await portal.signed_in()
    address = f"/portal/enterprises/{portal.firm}/codes/new"
    form = hidden_fields((await browser.get(address)).text, address)
    portal.clock.advance(timedelta(minutes=20))
    lost = await browser.post(address, data=form | {"sign_name": "云栖分店", "label": "北门"})
    assert lost.status_code == 403
    again = await browser.get((await sign_in(browser, "zhang", wanted=address)).headers["location"])
    assert 'value="云栖分店"' in again.text
    assert 'value="北门"' in again.text
