"""Attacks by way of reports on codes: floods, tokens, foreign sites, huge bodies, hostile text."""

import html
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.cli.printing import print_members
from gateway.codes import network_limits
from gateway.codes.network_limits import REPORTS_PER_TEN_MINUTES
from gateway.codes.reports import serializers, store
from gateway.codes.reports.form_token import TERM
from gateway.codes.reports.model import (
    STORED_PER_CODE_AND_DAY,
    UNKNOWN_PER_DAY,
    UNKNOWN_PER_NETWORK,
)
from gateway.db.unavailable import UnavailableError
from tests.portal_fixture import PortalFixture, hidden_fields, open_portal

FORM: Final = "/E/report"
HOSTILE: Final = '<script>alert(1)</script>"\x1b[31m\u202e[red]{{7*7}}=cmd()'
FOREIGN: Final[tuple[dict[str, str], ...]] = (
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
)


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running gateway behind a trusted proxy, without earlier reports."""
    async with open_portal(migrated_url, tmp_path, trusted_proxies="127.0.0.1") as made:
        await rows(made, "TRUNCATE code_report_case, code_report")
        yield made


async def rows(portal: PortalFixture, sql: str, **values: Any) -> list[dict[str, Any]]:
    """Rows of a statement."""
    async with portal.engine.begin() as connection:
        found = await connection.execute(text(sql), values)
        return [dict(row) for row in found.mappings()] if found.returns_rows else []


async def held(portal: PortalFixture) -> tuple[int, int]:
    """The reports counted and those stored."""
    [found] = await rows(
        portal,
        "SELECT coalesce(sum(reports), 0) AS counted, (SELECT count(*) FROM code_report) AS stored"
        "  FROM code_report_case",
    )
    return int(found["counted"]), int(found["stored"])


async def fields_for(browser: httpx2.AsyncClient, code: str) -> dict[str, str]:
    """The fields of a fresh form."""
    page = await browser.get(FORM, params={"code": code})
    hidden = {name: html.unescape(value) for name, value in hidden_fields(page.text).items()}
    return hidden | {"ground": "other", "text": ""}


async def report(
    portal: PortalFixture, code: str, network: int = 1, **changed: str
) -> httpx2.Response:
    """Send a report from one network of many."""
    address = f"10.{network // 250}.{network % 250}.1"
    browser = portal.browser(**{"X-Forwarded-For": address})
    return await browser.post(FORM, data=await fields_for(browser, code) | changed)


async def test_no_token_of_another_code_or_time_is_taken(portal: PortalFixture) -> None:
    """Missing, made up, changed, of another code, out of term: 403 and nothing written."""
    one, two = await portal.add_code(portal.firm), await portal.add_code(portal.shop)
    browser = portal.browser()
    fields = await fields_for(browser, one.code_id)
    expires, nonce, mac = fields["token"].split(".")
    for token in (
        "",
        "x",
        f"{expires}.{nonce}.{'0' * 64}",
        f"{int(expires) + 9}.{nonce}.{mac}",
        f"{expires}.{'0' * 24}.{mac}",
        fields["token"] + "\n",
        "9" * 30_000,
    ):
        answer = await browser.post(FORM, data=fields | {"token": token})
        assert answer.status_code == 403, token
    for code in (two.code_id, "A" * 26, "", f"{one.code_id}x"):
        assert (await browser.post(FORM, data=fields | {"code": code})).status_code == 403, code
    twice = "&".join(f"token={fields['token']}&code={one.code_id}&ground=other" for _ in range(2))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.post(FORM, content=twice, headers=headers)).status_code == 403
    portal.clock.advance(TERM + TERM)
    assert (await browser.post(FORM, data=fields)).status_code == 403
    assert await held(portal) == (0, 0)


async def test_a_replayed_token_makes_no_second_report(portal: PortalFixture) -> None:
    """With other content too, and after the case was decided."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    fields = await fields_for(browser, code.code_id)
    for text_ in ("first", "second"):
        assert (await browser.post(FORM, data=fields | {"text": text_})).status_code == 303
    await rows(portal, "UPDATE code_report_case SET status = 'dismissed', decided_at = now()")
    assert (await browser.post(FORM, data=fields)).status_code == 303
    assert await held(portal) == (1, 1)
    assert await rows(portal, "SELECT text FROM code_report") == [{"text": "first"}]


async def test_a_replayed_token_counts_no_second_time_though_nothing_was_kept(
    portal: PortalFixture,
) -> None:
    """Of a network whose two reports are kept; from another network too."""
    code = await portal.add_code(portal.firm)
    for _ in range(2):
        await report(portal, code.code_id)
    fields = await fields_for(portal.browser(), code.code_id)
    for address in ("10.0.1.1", "10.0.1.1", "10.0.2.1"):
        browser = portal.browser(**{"X-Forwarded-For": address})
        assert (await browser.post(FORM, data=fields)).status_code == 303
    assert await held(portal) == (3, 2)


async def test_a_report_that_could_not_be_written_can_be_sent_again(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form comes back whole with a fresh token, as the first one is spent."""
    code = await portal.add_code(portal.firm)

    async def fail(*_: object, **__: object) -> None:
        raise UnavailableError

    with monkeypatch.context() as broken:
        broken.setattr(store, "write_report", fail)
        answer = await report(portal, code.code_id, text="解放路")
    assert answer.status_code == 503
    assert "解放路" in answer.text
    fresh = hidden_fields(answer.text) | {"ground": "other", "text": "解放路"}
    assert (await portal.browser().post(FORM, data=fresh)).status_code == 303
    assert await held(portal) == (1, 1)


async def test_no_other_site_posts_a_report(portal: PortalFixture) -> None:
    """Even with a valid token, which anybody can fetch."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    for headers in FOREIGN:
        fields = await fields_for(browser, code.code_id)
        answer = await browser.post(FORM, data=fields, headers=headers)
        assert answer.status_code == 403, headers
    assert await held(portal) == (0, 0)


async def test_a_huge_or_broken_body_is_refused(portal: PortalFixture) -> None:
    """By its length, as another type, encoded, with many fields or bytes that are no text."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    fields = await fields_for(browser, code.code_id)
    assert (await browser.post(FORM, data=fields | {"text": "x" * 40_000})).status_code == 413
    assert (await browser.post(FORM, json=fields)).status_code == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers in (
        (b"&".join(b"a=1" for _ in range(500)), form),
        (b"\xff\xfe=\xff", form),
        (b"token=1", form | {"Content-Encoding": "gzip"}),
    ):
        assert (await browser.post(FORM, content=body, headers=headers)).status_code == 403
    assert (await browser.get(FORM, params={"code": "x" * 5_000})).status_code == 200
    assert await held(portal) == (0, 0)


async def test_one_network_is_limited_and_others_are_not(portal: PortalFixture) -> None:
    """429 with Retry-After; what it has sent on one code takes up two places at most."""
    code, other = await portal.add_code(portal.firm), await portal.add_code(portal.shop)
    answers = [await report(portal, code.code_id) for _ in range(REPORTS_PER_TEN_MINUTES + 1)]
    assert [each.status_code for each in answers] == [303] * REPORTS_PER_TEN_MINUTES + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "12315" in answers[-1].text
    assert await held(portal) == (REPORTS_PER_TEN_MINUTES, 2)
    forged = portal.browser(**{"X-Forwarded-For": "192.0.2.9, 10.0.1.77"})
    fields = await fields_for(forged, code.code_id)
    answer = await forged.post(FORM, data=fields)
    assert answer.status_code == 429, (
        "what a caller writes before the proxy's entry counts for nothing"
    )
    assert (await report(portal, other.code_id, network=2)).status_code == 303


async def test_a_flood_on_one_code_fills_no_table_and_hides_no_other(
    portal: PortalFixture,
) -> None:
    """From many networks: stored up to the bound; another code, and another ground, is stored as before."""
    code, other = await portal.add_code(portal.firm), await portal.add_code(portal.shop)
    for network in range(10):
        for _ in range(2):
            await report(portal, code.code_id, network, text="刷屏")
    honest = ((20, "covered", "盖着另一张"), (21, "other", "门牌也不对"))
    for network, ground, written in honest:
        await report(portal, code.code_id, network, ground=ground, text=written)
    await report(portal, code.code_id, 22)
    await report(portal, code.code_id, 23, text="又刷")
    assert await held(portal) == (24, STORED_PER_CODE_AND_DAY)
    kept = await rows(portal, "SELECT text FROM code_report WHERE text <> '刷屏'")
    assert {"盖着另一张", "又刷"} <= {each["text"] for each in kept}
    async with portal.engine.connect() as connection:
        [listed] = await store.list_cases(
            connection, status=None, issued=None, after=None, limit=10
        )
        case = await store.find_case(connection, listed["case_id"])
    assert case is not None
    assert serializers.full_document(case, [])["not_kept_at_least"] == 3
    await report(portal, other.code_id, 0, text="真的不对")
    kept = await rows(
        portal, "SELECT text FROM code_report JOIN code_report_case USING (case_id) WHERE uscc = :u",
        u=portal.shop,
    )  # fmt: skip
    assert kept == [{"text": "真的不对"}]


async def made_up(portal: PortalFixture, keys: str, count: int) -> None:
    """Cases of today on what is no code of ours."""
    await rows(
        portal,
        "INSERT INTO code_report_case (case_id, code_key, status, reports, grounds, first_at, last_at,"  # noqa: S608  # constants
        f" stored_on, stored, revoked) SELECT 'crc_' || {keys}, {keys}, 'open', 1, '{{}}', t.now, t.now,"
        " CAST(t.now AS date), 0, false FROM generate_series(1, :bound) n,"
        " (SELECT CAST(:now AS timestamptz) AS now) t",
        now=portal.clock(),
        bound=count,
    )


async def cases_of(portal: PortalFixture) -> dict[str, int]:
    """Reports of each case that the citizens of a test have made or added to."""
    found = await rows(
        portal,
        "SELECT code_key, reports FROM code_report_case WHERE reports > 1 OR first_at < last_at"
        " OR EXISTS (SELECT 1 FROM code_report r WHERE r.case_id = code_report_case.case_id)",
    )
    return {each["code_key"]: each["reports"] for each in found}


async def test_junk_hides_no_forged_id_and_no_case_of_a_first_reporter(
    portal: PortalFixture,
) -> None:
    """Beyond a day's bound: ids apart from texts, each network's first of a kind has its own case."""
    await made_up(portal, "'made-up-' || n", UNKNOWN_PER_DAY)
    forged, ground = "A" * 26, "asks_money_or_login"
    await report(portal, forged, 1, ground=ground, text="要付款")
    assert await cases_of(portal) == {forged: 1}
    await made_up(portal, "translate('KEYAAAAAAAAAAAAAAAAAAAA' || to_char(n, 'FM000'), '0189', 'WXYZ')",
                  UNKNOWN_PER_DAY)  # fmt: skip
    await report(portal, "B" * 26, 2, ground=ground, text="要登录")
    await report(portal, "C" * 26, 2, ground=ground, text="还要登录")
    await report(portal, "made-up-7", 2)
    code = await portal.add_code(portal.firm)
    await report(portal, code.code_id, 2)
    expected = {forged: 1, "B" * 26: 1, "": 1, "made-up-7": 2, code.code_id: 1}
    assert await cases_of(portal) == expected
    shared = await rows(
        portal,
        "SELECT text FROM code_report JOIN code_report_case USING (case_id) WHERE code_key = ''",
    )
    assert shared == [{"text": f"{'C' * 26}\n还要登录"}], "with what was scanned"


async def test_one_network_opens_few_cases_of_what_is_no_code_of_ours(
    portal: PortalFixture,
) -> None:
    """Three a day; its further ones share one case, of which two are kept."""
    for number in range(6):
        await report(portal, f"junk {number}", text="x")
    expected = {f"junk {number}": 1 for number in range(UNKNOWN_PER_NETWORK)} | {"": 3}
    assert await cases_of(portal) == expected
    assert await held(portal) == (6, UNKNOWN_PER_NETWORK + 2)


async def test_the_disk_is_bounded_whatever_networks_send(
    portal: PortalFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the absolute bound a network's first has no case of its own either."""
    monkeypatch.setattr(network_limits, "UNKNOWN_AT_MOST", 2)
    for network in range(4):
        await report(portal, f"junk {network}", network)
    assert await cases_of(portal) == {"junk 0": 1, "junk 1": 1, "": 2}


async def test_no_address_writes_on_the_official_page(portal: PortalFixture) -> None:
    """The form shows ids alone; any other text stays in its hidden field, and out of the queue."""
    lure = "请加微信退款"
    page = (await portal.browser().get(FORM, params={"code": lure})).text
    assert "您扫的不是企业码" in page
    assert hidden_fields(page)["code"] == lure
    assert lure not in page.replace(f'value="{lure}"', "").replace(quote(lure), "")
    await report(portal, lure)
    async with portal.engine.connect() as connection:
        [listed] = await store.list_cases(
            connection, status=None, issued=None, after=None, limit=10
        )
        case = await store.find_case(connection, listed["case_id"])
    assert case is not None
    assert serializers.summary(listed)["scanned"] is None
    assert serializers.full_document(case, [])["scanned"] == lure


async def test_hostile_text_is_data_wherever_it_is_shown(
    portal: PortalFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the form, the operator's JSON and command, and the portal."""
    code = await portal.add_code(portal.firm)
    assert (await report(portal, code.code_id, text=HOSTILE)).status_code == 303
    assert (await report(portal, HOSTILE, 2, text=HOSTILE)).status_code == 303
    page = await portal.browser().get(FORM, params={"code": HOSTILE})
    again = await report(portal, HOSTILE, 3, text=HOSTILE, ground="")
    assert again.status_code == 422
    warning = await portal.browser().get("/E/", params={"code": HOSTILE})
    for shown in (page, again, warning):
        assert "<script>alert" not in shown.text
        assert "49=cmd" not in shown.text
    browser = await portal.signed_in()
    for path in (f"/portal/codes/{code.code_id}", f"/portal/enterprises/{portal.firm}/codes"):
        assert "alert(1)" not in (await browser.get(path)).text
    async with portal.engine.connect() as connection:
        for listed in await store.list_cases(
            connection, status=None, issued=None, after=None, limit=10
        ):
            case = await store.find_case(connection, listed["case_id"])
            assert case is not None
            texts = await store.texts_of(connection, case["case_id"])
            document = json.loads(json.dumps(serializers.full_document(case, texts)))
            assert document["reports"][0]["text"].startswith("<script>alert(1)</script>")
            print_members(document)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "[red]" in printed


async def test_no_header_is_written_by_an_address(portal: PortalFixture) -> None:
    """Line breaks and foreign addresses in queries change no header."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    fields = await fields_for(browser, code.code_id)
    query = {"lang": "en\r\nSet-Cookie: a=b", "size": "//evil.example", "code": "a\r\nX: y"}
    answer = await browser.post(FORM, params=query, data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/E/report/sent")
    for path in ("/E/nearby", "/E/how", FORM, "/E/report/sent"):
        shown = await browser.get(path, params=query)
        assert "set-cookie" not in shown.headers
        assert "x" not in shown.headers
        assert shown.headers.get("location", "/E/") == "/E/"


async def test_the_phrase_is_compared_by_eye_alone(portal: PortalFixture) -> None:
    """A phrase in an address changes no answer, so that none can be guessed."""
    code = await portal.add_code(portal.firm)
    for path in (f"/E/{code.code_id}", "/E/", f"/E/{'A' * 26}"):
        plain = await portal.browser().get(path)
        for guess in (code.check_phrase, "青山 青山"):
            tried = await portal.browser().get(
                path, params={"phrase": guess, "check_phrase": guess}
            )
            assert (tried.status_code, len(tried.text)) == (plain.status_code, len(plain.text))
