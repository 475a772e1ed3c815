"""Access history page and CSV export: filters, paging, other enterprises, formulas."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import insert

from gateway.creditfile.watches.lists import WatchList, delete_list, put_list
from gateway.disclosure.tables import TurnedAwayRow
from gateway.portal.access_history import entries
from gateway.portal.access_history.entries import EntryFilter
from gateway.portal.pagination import ListPosition
from tests.portal_fixture import PortalFixture

FORMULA: Final = '=HYPERLINK("http://evil.example","x")'


async def add_sum(portal: PortalFixture, uscc: str, times: int, **changed: Any) -> None:
    """Add an hourly count of refused attempts."""
    row = {"client_id": portal.bank, "kind": "query", "reason": "rate_limited"}
    hour = portal.clock().replace(minute=0, second=0, microsecond=0)
    async with portal.engine.begin() as connection:
        await connection.execute(
            insert(TurnedAwayRow).values(
                row | {"uscc": uscc, "hour": hour, "times": times} | changed
            )
        )


async def test_an_outcome_stands_beside_its_query_with_what_may_be_done(
    portal: PortalFixture,
) -> None:
    """On the page with what it replaced; in the file its newest version."""
    browser = await portal.signed_in()
    query, other = [await portal.add_look(portal.firm) for _ in range(2)]
    await portal.tell_outcome(query, "approved_less")
    await portal.tell_outcome(query, "refused", "live_penalty", "other_sources", version=2)
    page = await page_of(browser, portal)
    for words in ("未通过", "有公示期内的行政处罚", "依据本平台以外的信息", "此前告知的结果"):
        assert page.count(words) == 1, words
    assert "可以提出异议" in page
    assert "请向该机构了解" in page
    assert page.count(f'href="/portal/enterprises/{portal.firm}/record"') == 2  # the tab's too
    assert f'href="/portal/enterprises/{portal.firm}/self-assessment"' in page
    rows = {row["记录编号"]: row for row in await rows_of(browser, portal)}
    assert rows[query]["办理结果"] == "未通过"
    assert rows[query]["办理结果的原因"] == "有公示期内的行政处罚; 依据本平台以外的信息"
    assert rows[query]["告知时间（北京时间）"]
    assert rows[other]["办理结果"] == ""


async def page_of(browser: httpx2.AsyncClient, portal: PortalFixture, query: str = "") -> str:
    """The page for this query."""
    answer = await browser.get(f"/portal/enterprises/{portal.firm}/looks?{query}")
    assert answer.status_code == 200
    return answer.text


async def rows_of(
    browser: httpx2.AsyncClient, portal: PortalFixture, query: str = ""
) -> list[dict[str, str]]:
    """The CSV rows."""
    answer = await browser.get(f"/portal/enterprises/{portal.firm}/looks.csv?{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest_asyncio.fixture
async def busy(portal: PortalFixture) -> PortalFixture:
    """Two clients, two purposes, disclosures and refusals on three days, another enterprise's rows."""
    other = await portal.add_client("义乌示范平台", "Yiwu Demo Platform")
    noon = portal.clock()
    await portal.add_look(portal.firm, asked=["mark-a-"], at=noon - timedelta(days=2))
    await portal.add_look(
        portal.firm,
        asked=["mark-b-"],
        client_id=other,
        kind="verification",
        purpose="merchant_onboarding",
        outcome="refused",
        reason="not_available",
        at=noon - timedelta(days=1),
    )
    await portal.add_look(portal.firm, asked=["mark-c-"], at=noon)
    await portal.add_look(portal.elsewhere, asked=["mark-foreign-"], at=noon)
    await add_sum(portal, portal.firm, 77, client_id=other)
    await add_sum(portal, portal.elsewhere, 99)
    return portal


def day(moment: datetime) -> str:
    """A day as forms send it."""
    return moment.date().isoformat()


FILTERS: Final[tuple[tuple[str, set[str], bool], ...]] = (
    ("", {"a", "b", "c"}, True),
    ("outcome=told", {"a", "c"}, False),
    ("outcome=refused", {"b"}, True),
    ("purpose=merchant_onboarding", {"b"}, False),
    ("purpose=loan_approval&outcome=refused", set(), False),
    ("client={other}", {"b"}, True),
    ("client={bank}", {"a", "c"}, False),
    ("since=2026-11-21&until=2026-11-21", {"b"}, False),
    ("until=2026-11-20", {"a"}, False),
    ("since=2026-11-22", {"c"}, True),
    ("since=2026-11-23", set(), False),
)


@pytest.mark.parametrize(("query", "marks", "sums"), FILTERS)
async def test_page_and_file_show_what_the_filter_lets_through(
    busy: PortalFixture, query: str, marks: set[str], *, sums: bool
) -> None:
    """Client, purpose, outcome and period, alone and combined; both days included."""
    browser = await busy.signed_in()
    async with busy.engine.connect() as connection:
        (other,) = (await entries.filter_choices(connection, busy.firm)).clients - {busy.bank}
    query = query.format(other=other, bank=busy.bank)
    page, rows = await page_of(browser, busy, query), await rows_of(browser, busy, query)
    assert {mark for mark in "abc" if f"mark-{mark}-" in page} == marks
    assert {row["内容"][5] for row in rows if row["次数"] == "1"} == marks
    assert ("共 77 次" in page) is sums
    assert [row["原因"] for row in rows if row["次数"] == "77"] == ["查询过于频繁"] * sums
    for text in (page, str(rows)):
        assert "foreign" not in text
        assert "99 次" not in text


async def test_the_file_has_every_row_the_newest_first(portal: PortalFixture) -> None:
    """More than one batch, equal times, counts included."""
    browser = await portal.signed_in()
    for n in range(47):
        await portal.add_look(
            portal.firm, asked=[f"mark-{n}-"], at=portal.clock() - timedelta(hours=n // 20)
        )
    for hours in range(3):
        hour = portal.clock().replace(minute=0) - timedelta(hours=hours)
        await add_sum(portal, portal.firm, 5, hour=hour)
    found = [
        line
        async for some in entries.stream_entries(portal.engine, portal.firm, EntryFilter(), batch=7)
        for line in some
    ]
    assert len({line.ref for line in found}) == 48  # three sums of one reason share theirs
    assert len(found) == 50
    assert [line.moment for line in found] == sorted((line.moment for line in found), reverse=True)
    rows = await rows_of(browser, portal)
    assert len(rows) == 50
    assert [row["时间（北京时间）"][:19] for row in rows] == sorted(
        (row["时间（北京时间）"][:19] for row in rows), reverse=True
    )


async def test_a_refused_request_for_consent_is_a_line_like_any_other(
    portal: PortalFixture,
) -> None:
    """With its label, on page and in the export, in both languages."""
    browser = await portal.signed_in()
    await portal.add_look(
        portal.firm,
        kind="consent_request",
        outcome="refused",
        reason="cooling_down",
        asked=["penalty", "is_active.v1"],
    )
    await add_sum(portal, portal.firm, 7, kind="consent_request", reason="idempotency_conflict")
    page, rows = await page_of(browser, portal), await rows_of(browser, portal)
    for words in (
        "申请授权",
        "限制期内不得再次申请",
        "共 7 次，均被拒绝",
        "重复使用了同一请求编号",
    ):
        assert words in page
    assert {(row["方式"], row["结果"], row["次数"]) for row in rows} == {
        ("申请授权", "已拒绝", "1"), ("申请授权", "已拒绝", "7"),
    }  # fmt: skip
    english = await rows_of(browser, portal, "lang=en&outcome=refused")
    assert {(row["Kind"], row["Times"], row["Purpose"]) for row in english} == {
        ("Request for consent", "1", "Loan approval"), ("Request for consent", "7", ""),
    }  # fmt: skip
    assert "You had refused it a short while before" in await page_of(browser, portal, "lang=en")


async def test_pages_hold_each_line_once_within_the_filter(portal: PortalFixture) -> None:
    """The link to the next page keeps the filter."""
    browser = await portal.signed_in()
    for n in range(25):
        await portal.add_look(portal.firm, asked=[f"mark-{n}-"])
        await portal.add_look(portal.firm, outcome="refused", reason="not_available")
    first = await page_of(browser, portal, "outcome=told")
    onward = first.partition('second" href="?outcome=told&amp;')[2].partition('"')[0]
    assert onward.startswith("before=")
    second = await page_of(browser, portal, f"outcome=told&{onward}")
    assert all((first + second).count(f"mark-{n}-") == 1 for n in range(25))
    assert "没有您的授权" not in first + second


async def test_formulas_in_the_file_are_text(portal: PortalFixture) -> None:
    """Client names and requested values."""
    named = await portal.add_client(FORMULA, "@SUM(1+1)")
    await portal.add_look(portal.firm, client_id=named, asked=["+cmd|'/C calc'!A0"], reason="-1")
    browser = await portal.signed_in()
    for language, name in (("zh", FORMULA), ("en", "@SUM(1+1)")):
        (row,) = await rows_of(browser, portal, f"lang={language}")
        assert f"'{name}" in row.values()
        assert "'+cmd|'/C calc'!A0" in row.values()
        assert not any(value.startswith(("=", "+", "-", "@", "\t")) for value in row.values())


@pytest.mark.parametrize(
    "query",
    [
        "client=bank-of-nobody",
        "purpose=anything",
        "outcome=TOLD",
        "since=yesterday",
        "until=0001-01-01",
        "since=9999-12-31",
    ],
)
async def test_an_invalid_filter_is_ignored_with_a_notice(busy: PortalFixture, query: str) -> None:
    """The page says so; the export is refused."""
    browser = await busy.signed_in()
    assert "筛选条件无法识别" in await page_of(browser, busy, query)
    export = await browser.get(f"/portal/enterprises/{busy.firm}/looks.csv?{query}")
    assert export.status_code == 303
    assert export.headers["location"].startswith(f"/portal/enterprises/{busy.firm}/looks?")


@pytest.mark.parametrize(
    "before", ["x", "~", "1", "1~", "-1~a", "9" * 30 + "~a", "9" * 5000 + "~a", "１~a"]
)
async def test_a_place_that_is_none_finds_nothing(busy: PortalFixture, before: str) -> None:
    """An invalid cursor gives an empty page."""
    browser = await busy.signed_in()
    answer = await browser.get(f"/portal/enterprises/{busy.firm}/looks?before={before}")
    assert answer.status_code == 404


async def test_a_place_in_anothers_list_shows_ones_own_only(busy: PortalFixture) -> None:
    """Cursors hold a time and a position only."""
    browser = await busy.signed_in()
    async with busy.engine.connect() as connection:
        (theirs, *_) = await entries.list_entries(connection, busy.elsewhere, EntryFilter())
    assert ListPosition.parse(str(theirs.position)) == theirs.position
    page = await page_of(browser, busy, f"before={theirs.position}")
    assert "foreign" not in page


async def test_another_enterprises_file_and_an_unknown_one_look_the_same(
    busy: PortalFixture,
) -> None:
    """IDOR; without a session the sign-in page."""
    stranger, nobody = await busy.signed_in("wang"), busy.browser()
    theirs, none = [
        await stranger.get(f"/portal/enterprises/{uscc}/looks.csv")
        for uscc in (busy.firm, busy.unknown)
    ]
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.text == none.text
    away = await nobody.get(f"/portal/enterprises/{busy.firm}/looks.csv")
    assert away.status_code == 303
    assert away.headers["location"].startswith("/portal/sign-in")


async def test_a_verification_says_why_a_question_was_not_answered_and_what_was_public(
    portal: PortalFixture,
) -> None:
    """On the page and in the file; an answer by consent is not said to be from public information."""
    await portal.add_look(
        portal.firm,
        kind="verification",
        asked=["rating_at_least.v1", "is_active.v1"],
        items=[
            {
                "code": "rating_at_least.v1",
                "value": "良好",
                "answer": "not_determined",
                "withheld": "not_in_consent",
            },
            {"code": "is_active.v1", "answer": "yes"},
        ],
    )
    browser = await portal.signed_in()
    page = await page_of(browser, portal)
    assert "没有您对这一项的有效同意，未作答" in page
    assert "无法确定" not in page
    assert page.count("依据公开信息，不需要授权。") == 1
    [row] = await rows_of(browser, portal)
    assert row["逐项结果"] == "没有您对这一项的有效同意，未作答; 是"


async def test_each_item_shows_what_was_told_of_it(portal: PortalFixture) -> None:
    """Per question its band and answer, per dataset its records; `not_determined` is no yes."""
    await portal.add_look(
        portal.firm,
        kind="verification",
        asked=["rating_at_least.v1", "is_active.v1", "enterprise_name.v2"],
        items=[
            {"code": "rating_at_least.v1", "value": "良好", "answer": "not_determined"},
            {"code": "is_active.v1", "answer": "yes"},
            {"code": "enterprise_name.v2", "answer": "no"},
        ],
    )
    await portal.add_look(
        portal.firm,
        asked=["licence", "penalty", "public_rating"],
        items=[
            {"code": "licence", "records": 3},
            {"code": "penalty", "records": 0},
            {"code": "public_rating", "withheld": "not_in_consent"},
        ],
        at=portal.clock() - timedelta(hours=1),
    )
    browser = await portal.signed_in()
    page = await page_of(browser, portal)
    told = re.findall(r'<li><span>([^<]+)</span> <span class="outcome (\w*)">([^<]+)<', page)
    assert told == [
        ("公共信用评价是否达到“良好”及以上", "not_determined", "无法确定"),
        ("登记状态是否为存续（在营）", "yes", "是"),
        ("企业名称与对方提供的是否一致（繁体、简体视为相同）", "no", "否"),
        ("行政许可", "yes", "3 条"),
        ("行政处罚", "", "未查询到"),
        ("公共信用评价", "", "不在授权范围内，未提供"),
    ]
    verified, queried = await rows_of(browser, portal)
    assert (verified["结果"], verified["逐项结果"]) == ("已答复", "无法确定; 是; 否")
    assert queried["逐项结果"] == "3 条; 未查询到; 不在授权范围内，未提供"
    english = await page_of(browser, portal, "lang=en")
    assert "Is your public credit rating good or better?" in english
    assert "Not determined" in english


async def test_who_watches_and_each_time_it_was_told_is_shown(portal: PortalFixture) -> None:
    """While the list is followed; without what another enterprise's watcher does."""
    browser = await portal.signed_in()
    other = await portal.add_client("某平台", "A Platform")
    for client, uscc in ((portal.bank, portal.firm), (other, portal.elsewhere)):
        async with portal.engine.begin() as connection:
            now = portal.clock()
            wanted = WatchList(
                client_id=client,
                name="nightly",
                purpose="loan_approval",
                questions=("is_active.v1",),
                enterprises=1,
                created_at=now,
                replaced_at=now,
            )
            await put_list(connection, wanted, [uscc], catalogue_version="2026.2")
    page = await page_of(browser, portal)
    assert "正在关注您企业的机构" in page
    assert "浙江示范银行" in page
    assert "某平台" not in page
    await portal.add_look(portal.firm, kind="watch", asked=["is_active.v1"])
    async with portal.engine.begin() as connection:
        await delete_list(connection, portal.bank, "nightly")
    page, rows = await page_of(browser, portal), await rows_of(browser, portal)
    assert "正在关注您企业的机构" not in page
    assert "已告知答复可能有变" in page
    assert [(row["方式"], row["结果"]) for row in rows] == [("关注", "已告知答复可能有变")]
