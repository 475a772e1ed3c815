"""Applications for repair in the portal: form, files, IDOR, CSRF, XSS, double submission."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio

from gateway.creditfile.history import Change, mark_record
from gateway.creditfile.repairs import store
from gateway.creditfile.repairs.model import ApplicationStatus, RepairApplication
from gateway.pages import upload_form
from tests.creditfile_builders import make_record
from tests.portal_fixture import AUTHORITY, PortalFixture, hidden_fields, open_portal
from tests.portal_steps import forged_token

MARKUP: Final = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}</textarea>"
WORDS: Final = {"statement": "罚款已缴清，已整改。", "commitment": "yes"}
RECEIPT: Final = b"\x89PNG\r\n--boundary\r\n" + bytes(range(256)) * 300


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running portal; firm and shop have a penalty each that can be repaired."""
    async with open_portal(migrated_url, tmp_path) as made:
        await made.add_records(
            make_record(uscc=made.firm, record_id="rec_p", authority="杭州市西湖区市场监督管理局"),
            make_record(uscc=made.shop, record_id="rec_s"),
        )
        yield made


def form_at(uscc: str, record_id: str = "rec_p") -> str:
    """URL of the form."""
    return f"/portal/enterprises/{uscc}/records/{record_id}/repair"


async def send(
    portal: PortalFixture, browser: httpx2.AsyncClient, *files: tuple[str, bytes], **words: str
) -> httpx2.Response:
    """Send the form for the firm's penalty, with these files."""
    address = form_at(portal.firm)
    form = hidden_fields((await browser.get(address)).text, address)
    papers = [("papers", each) for each in files or (("", b""),)]
    return await browser.post(address, data=form | WORDS | words, files=papers)


async def applications_of(portal: PortalFixture, uscc: str = "") -> list[RepairApplication]:
    """Applications of an enterprise, by default the firm."""
    async with portal.engine.connect() as connection:
        return await store.of_enterprise(connection, uscc or portal.firm)


async def test_papers_reach_the_department_as_digests_only(portal: PortalFixture) -> None:
    """SHA-256 of each file, its name without personal numbers, and nothing of its contents."""
    browser = await portal.signed_in()
    answer = await send(
        portal,
        browser,
        ("缴款凭证.png", RECEIPT),
        ("330106199001011233 身份证.pdf", b"%PDF"),
        statement="罚款已缴清。联系13800138000",
    )
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].endswith("notice=applied_masked")
    (made,) = await applications_of(portal)
    first, second = made.papers
    assert (first.name, first.size) == ("缴款凭证.png", len(RECEIPT))
    assert first.sha256 == hashlib.sha256(RECEIPT).hexdigest()
    assert second.sha256 == hashlib.sha256(b"%PDF").hexdigest()
    assert "330106199001011233" not in second.name
    assert "13800138000" not in made.statement
    page = (await browser.get(answer.headers["location"])).text
    assert first.sha256 in page
    assert made.due_on.isoformat() in page


async def test_an_open_application_shows_while_its_record_is_suspended(
    portal: PortalFixture,
) -> None:
    """The record's page links to it, and the department still has to decide it."""
    browser = await portal.signed_in()
    assert (await send(portal, browser)).status_code == 303
    (made,) = await applications_of(portal)
    async with portal.engine.begin() as connection:
        change = Change(kind="suspended", actor="dept")
        marks = {"suspended_at": portal.clock()}
        await mark_record(connection, portal.firm, "rec_p", marks, change, now=portal.clock())
    page = (await browser.get(f"/portal/enterprises/{portal.firm}/records/rec_p")).text
    assert f"/portal/repairs/{made.application_id}" in page


async def test_an_application_without_papers_is_one(portal: PortalFixture) -> None:
    """With an empty file field, and as a form without files."""
    browser = await portal.signed_in("li")
    assert (await send(portal, browser)).status_code == 303
    address = form_at(portal.shop, "rec_s")
    form = hidden_fields((await browser.get(address)).text, address)
    assert (await browser.post(address, data=form | WORDS)).status_code == 303
    for uscc in (portal.firm, portal.shop):
        (made,) = await applications_of(portal, uscc)
        assert made.papers == ()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"statement": ""}, "请写明已经怎样改正"),
        ({"statement": "改" * 1_501}, "内容过长"),
        ({"commitment": ""}, "请勾选信用承诺"),
        ({"commitment": "no"}, "请勾选信用承诺"),
    ],
)
async def test_a_form_that_lacks_something_is_shown_again(
    portal: PortalFixture, words: dict[str, str], sentence: str
) -> None:
    """With what was typed; nothing is sent."""
    answer = await send(portal, await portal.signed_in(), **words)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert {"statement": WORDS["statement"], **words}["statement"][:1_500] in answer.text
    assert await applications_of(portal) == []


async def test_a_refused_form_names_the_files_that_have_to_be_chosen_again(
    portal: PortalFixture,
) -> None:
    """At the field, without personal numbers and markup; a form without files names none."""
    browser = await portal.signed_in()
    files = (("缴款.png", RECEIPT), (f"330106199001011233{MARKUP}.pdf", b"%PDF"))
    page = (await send(portal, browser, *files, commitment="")).text
    assert '您选择的材料需要重新选择：<span class="name">缴款.png</span>、' in page
    assert 'aria-describedby="papers-again papers-hint"' in page
    assert "330106199001011233" not in page
    assert "<script>" not in page
    assert "需要重新选择" not in (await send(portal, browser, commitment="")).text


async def test_an_empty_paper_is_refused(portal: PortalFixture) -> None:
    """It would prove nothing."""
    browser = await portal.signed_in()
    answer = await send(portal, browser, ("空.pdf", b""), ("a.jpg", b"x"))
    assert (answer.status_code, "有空文件" in answer.text) == (422, True)
    assert await applications_of(portal) == []


async def test_form_and_application_say_where_the_originals_go(portal: PortalFixture) -> None:
    """The office that decides, by one name."""
    browser, office = await portal.signed_in(), "杭州市西湖区市场监督管理局"
    assert f"请将原件带到：{office}" in (await browser.get(form_at(portal.firm))).text
    sent = await send(portal, browser, ("a.jpg", b"x"))
    page = (await browser.get(sent.headers["location"])).text
    assert f"请将原件带到：{office}" in page
    assert f"<dd>{office}</dd>" in page
    assert AUTHORITY not in page


async def test_too_many_and_too_large_papers_are_refused(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a sentence that says the limit."""
    browser = await portal.signed_in()
    answer = await send(portal, browser, *((f"{n}.jpg", b"x") for n in range(6)))
    assert (answer.status_code, "最多选择 5 份材料" in answer.text) == (422, True)
    monkeypatch.setattr(upload_form, "MAX_UPLOAD_BYTES", 50_000)
    answer = await send(portal, browser, ("a.jpg", b"x" * 60_000))
    assert (answer.status_code, "材料合计不能超过" in answer.text) == (422, True)
    assert '需要重新选择：<span class="name">a.jpg</span>' in answer.text
    assert 'name="commitment" value="yes" required checked' in answer.text
    form = (await browser.get(form_at(portal.firm))).text
    assert form.index('name="commitment"') < form.index('name="papers"'), "else it is not read"
    assert await applications_of(portal) == []


async def test_the_record_page_says_from_when_where_and_how_long(portal: PortalFixture) -> None:
    """In both languages; the state follows the application."""
    browser = await portal.signed_in()
    path = f"/portal/enterprises/{portal.firm}/records/rec_p"
    page = (await browser.get(path)).text
    for words in (
        "可以申请修复",
        "2026-11-02",
        "最短公示期已满",
        "杭州市西湖区市场监督管理局",
        "信用中国",
        "10 个工作日内决定",
        "申请信用修复",
    ):
        assert words in page, words
    assert "Decided within 10 working days" in (await browser.get(f"{path}?lang=en")).text
    await browser.get(f"{path}?lang=zh")
    await send(portal, browser)
    applied = (await browser.get(path)).text
    assert "已申请，等待决定" in applied
    assert "查看申请" in applied
    portal.clock.advance(timedelta(days=40))
    assert "已超期" in (await (await portal.signed_in()).get(path)).text


@pytest.mark.parametrize(
    ("column", "change", "undo", "words"),
    [
        ("suspended_at", "suspended", "reinstated", ("已中止公示", "中止已经解除")),
        ("repaired_at", "repaired", "repair_revoked", ("已修复", "修复已被撤销")),
    ],
)
async def test_the_record_page_shows_what_became_of_a_repair(
    portal: PortalFixture, column: str, change: str, undo: str, words: tuple[str, str]
) -> None:
    """Suspended and told again; repaired and revoked, with the reason and no application for a year."""
    browser, now = await portal.signed_in(), portal.clock()
    path = f"/portal/enterprises/{portal.firm}/records/rec_p"
    for kind, mark, expected in ((change, now, words[0]), (undo, None, words[1])):
        made = Change(kind=kind, actor="source", reason=f"决定理由：{kind}", decided_on=now.date())
        async with portal.engine.begin() as connection:
            await mark_record(connection, portal.firm, "rec_p", {column: mark}, made, now=now)
        page = (await browser.get(path)).text
        assert expected in page
        assert (kind == "repaired") is (f"决定理由：{kind}" not in page)
        can_apply = f"{path}/repair" in page
        assert can_apply is (kind == "reinstated")
        assert ("2027-11-23" in page) is (kind == "repair_revoked")
        assert ("修复被撤销满 12 个月后" in page) is (kind == "repair_revoked")
        assert "†" not in page


async def test_a_record_too_early_is_not_offered_and_its_form_leads_back(
    portal: PortalFixture,
) -> None:
    """GET and POST."""
    await portal.add_records(
        make_record(
            uscc=portal.firm,
            record_id="rec_new",
            document_number="浙市监罚〔2026〕0077号",
            decided_on="2026-11-01",
            determined_on="2026-11-01",
            published_on="2026-11-03",
        )
    )
    browser = await portal.signed_in()
    path = f"/portal/enterprises/{portal.firm}/records/rec_new"
    page = (await browser.get(path)).text
    assert ("2027-02-02" in page, f"{path}/repair" in page) == (True, False)
    assert (await browser.get(f"{path}/repair")).headers["location"].endswith("not_repairable")
    token = await forged_token(portal, browser, f"repair {portal.firm} rec_new")
    answer = await browser.post(f"{path}/repair", data=token | WORDS)
    assert answer.headers["location"].endswith("not_repairable")
    assert await applications_of(portal) == []


async def test_pages_about_another_enterprise_and_about_none_look_the_same(
    portal: PortalFixture,
) -> None:
    """IDOR: form, list, application; acts change nothing."""
    owner, stranger = await portal.signed_in(), await portal.signed_in("wang")
    own = (await send(portal, owner)).headers["location"].partition("?")[0]
    invented = f"/portal/repairs/rep_{'a' * 26}"
    for theirs, unknown in (
        (form_at(portal.firm), form_at(portal.unknown)),
        (
            f"/portal/enterprises/{portal.firm}/repairs",
            f"/portal/enterprises/{portal.unknown}/repairs",
        ),
        (own, invented),
        (f"{own}/withdraw", f"{invented}/withdraw"),
    ):
        first, second = await stranger.get(theirs), await stranger.get(unknown)
        assert (first.status_code, second.status_code) == (404, 404), theirs
        assert first.text == second.text
    for address, purpose in (
        (form_at(portal.firm), f"repair {portal.firm} rec_p"),
        (form_at(portal.elsewhere), f"repair {portal.elsewhere} rec_p"),
        (f"{own}/withdraw", f"withdraw {own.rpartition('/')[2]}"),
    ):
        token = await forged_token(portal, stranger, purpose)
        assert (await stranger.post(address, data=token | WORDS)).status_code == 404, address
    assert [each.status for each in await applications_of(portal)] == [ApplicationStatus.OPEN]
    assert await applications_of(portal, portal.elsewhere) == []


async def test_a_form_without_our_token_does_nothing(portal: PortalFixture) -> None:
    """CSRF: no token, another's, from another site; with and without files."""
    browser = await portal.signed_in()
    address = form_at(portal.firm)
    form = hidden_fields((await browser.get(address)).text, address)
    files = {"papers": ("a.jpg", b"x")}
    cases: tuple[dict[str, Any], ...] = (
        {"data": WORDS},
        {"data": WORDS, "files": files},
        {"data": WORDS | {"csrf": "0" * 64}, "files": files},
        {"data": form | WORDS, "files": files, "headers": {"Sec-Fetch-Site": "cross-site"}},
        {"data": form | WORDS, "headers": {"Origin": "https://evil.example"}},
    )
    for request in cases:
        assert (await browser.post(address, **request)).status_code == 403, request
    assert await applications_of(portal) == []
    nobody = portal.browser()
    assert (await nobody.post(address, data=form | WORDS, files=files)).status_code == 403


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b""),
        (f"multipart/form-data; boundary={'b' * 71}", b""),
        ("multipart/form-data; boundary=x", b"no such form"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nX: y\r\n\r\nz\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
            + b"z" * 40_000
            + b"\r\n--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        ),
        ("text/plain", b"csrf=1"),
        ("", b""),
    ],
    ids=str,
)
async def test_a_malformed_form_is_a_stale_page(
    portal: PortalFixture, kind: str, body: bytes
) -> None:
    """403, and nothing is sent; never a 500."""
    browser = await portal.signed_in()
    headers = {"Content-Type": kind} if kind else {}
    answer = await browser.post(form_at(portal.firm), content=body, headers=headers)
    assert answer.status_code == 403
    assert await applications_of(portal) == []


async def test_forms_with_files_are_limited_per_person_before_they_are_read(
    portal: PortalFixture,
) -> None:
    """The eleventh in a minute, of anybody who may apply."""
    browser, other = await portal.signed_in(), await portal.signed_in("li")
    for _ in range(10):
        assert (await browser.post(form_at(portal.firm), data=WORDS)).status_code == 403
    refused = await send(portal, browser, ("a.jpg", b"x"))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert await applications_of(portal) == []
    assert (await send(portal, other)).status_code == 303


async def test_two_tabs_and_a_double_click_are_one_application(portal: PortalFixture) -> None:
    """Each response leads to it."""
    browser, other = await portal.signed_in(), await portal.signed_in("li")
    answers = await asyncio.gather(*(send(portal, b) for b in (browser, other) for _ in range(2)))
    assert {each.status_code for each in answers} == {303}
    assert len({each.headers["location"].partition("?")[0] for each in answers}) == 1
    assert len(await applications_of(portal)) == 1


async def test_withdrawing_twice_is_harmless(portal: PortalFixture) -> None:
    """The second response shows the state, and today there is no other application."""
    browser = await portal.signed_in()
    own = (await send(portal, browser)).headers["location"].partition("?")[0]
    form = hidden_fields((await browser.get(f"{own}/withdraw")).text, f"{own}/withdraw")
    first, second = [await browser.post(f"{own}/withdraw", data=form) for _ in range(2)]
    assert first.headers["location"].endswith("notice=withdrawn")
    assert second.headers["location"].endswith("notice=too_late")
    assert (await browser.get(form_at(portal.firm))).headers["location"].endswith("too_soon")
    (made,) = await applications_of(portal)
    assert (made.status, made.closed_by) == (ApplicationStatus.WITHDRAWN, "demo:zhang")


async def test_markup_in_every_text_is_shown_as_text(portal: PortalFixture) -> None:
    """Stored and reflected XSS: statement, file name, reason, office."""
    await portal.add_records(
        make_record(uscc=portal.firm, record_id="rec_x", document_number="浙x", authority=MARKUP)
    )
    browser = await portal.signed_in()
    reflected = await send(portal, browser, statement=MARKUP, commitment="")
    assert reflected.status_code == 422
    made = await send(portal, browser, (MARKUP, b"x"), statement=MARKUP)
    own = made.headers["location"].partition("?")[0]
    pages = [reflected] + [
        await browser.get(path)
        for path in (
            own,
            f"{own}?notice={MARKUP}",
            f"{own}/withdraw",
            f"/portal/enterprises/{portal.firm}/records/rec_x",
            f"{form_at(portal.firm, 'rec_x')}",
            f"/portal/enterprises/{portal.firm}/repairs",
        )
    ]
    for page in pages:
        assert page.status_code in {200, 422}
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
        assert ">49<" not in page.text
