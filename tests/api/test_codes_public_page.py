"""Public page of an enterprise code: disclosed content, publicity terms, caching, revocation."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from gateway.codes.public_page.summary import public_datasets
from gateway.creditfile.local_dates import SHANGHAI
from gateway.creditfile.tables import enterprise
from tests.creditfile_builders import CATALOGUE, make_record
from tests.portal_fixture import AUTHORITY, ISSUER, PortalFixture

JSON = {"Accept": "application/json"}


async def dataset(portal: PortalFixture, code_id: str, wanted: str) -> dict[str, object]:
    """One dataset of the page's JSON form."""
    document = (await portal.browser().get(f"/E/{code_id}", headers=JSON)).json()
    return next(each for each in document["datasets"] if each["dataset"] == wanted)


async def test_the_page_shows_who_it_is_and_how_to_check_the_sticker(portal: PortalFixture) -> None:
    """Name, sign, district, status and check phrase."""
    code = await portal.add_code(portal.firm, "云栖小店（滨江）")
    page = await portal.browser().get(f"/E/{code.code_id}")
    assert page.status_code == 200
    for words in (
        "杭州云栖数据科技有限公司",
        "云栖小店（滨江）",
        "杭州市西湖区",
        "存续（在营）",
        code.check_phrase,
    ):
        assert words in page.text


async def test_the_page_is_small_and_runs_nothing(portal: PortalFixture) -> None:
    """No script, no cookie, and a first view of a few kilobytes."""
    code = await portal.add_code(portal.firm)
    page = await portal.browser().get(f"/E/{code.code_id}")
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self'"
    )
    assert len(page.content) < 20_000


async def test_an_id_is_read_in_either_case(portal: PortalFixture) -> None:
    """Scanners may change the case."""
    code = await portal.add_code(portal.firm)
    for path in (f"/E/{code.code_id.lower()}", f"/e/{code.code_id}"):
        assert (await portal.browser().get(path)).status_code == 200


async def test_nothing_found_is_never_no_violations(portal: PortalFixture) -> None:
    """R6: the date, and that no record was found within its publicity term."""
    code = await portal.add_code(portal.firm)
    page = (await portal.browser().get(f"/E/{code.code_id}")).text
    now = portal.clock().astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    assert f"截至 {now} 未查询到在公示期内的行政处罚" in page
    assert "无违法" not in page


async def test_a_source_that_cannot_be_asked_is_not_mixed_up_with_nothing_found(
    portal: PortalFixture,
) -> None:
    """R6: 暂不可用 instead of "none found"."""
    async with portal.engine.begin() as connection:
        await connection.execute(
            update(enterprise)
            .where(enterprise.c.uscc == portal.firm)
            .values(unavailable=["penalty"]),
        )
    code = await portal.add_code(portal.firm)
    section = await dataset(portal, code.code_id, "penalty")
    assert (section["state"], section["records"]) == ("unavailable", [])
    assert "暂不可用" in (await portal.browser().get(f"/E/{code.code_id}")).text


async def test_a_penalty_is_gone_at_midnight_after_its_last_day(portal: PortalFixture) -> None:
    """At 00:00 in Shanghai, cached pages included."""
    await portal.add_records(make_record(uscc=portal.firm, publicity_ends_on="2026-11-22"))
    code = await portal.add_code(portal.firm)
    portal.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert (await dataset(portal, code.code_id, "penalty"))["state"] == "found"
    portal.clock.advance(timedelta(seconds=1))
    assert (await dataset(portal, code.code_id, "penalty"))["state"] == "none"


async def test_a_repaired_penalty_is_gone_at_once(portal: PortalFixture) -> None:
    """信用修复 ends publicity on every channel."""
    repaired = make_record(uscc=portal.firm, repaired_at=portal.clock())
    await portal.add_records(repaired)
    code = await portal.add_code(portal.firm)
    page = await portal.browser().get(f"/E/{code.code_id}")
    assert repaired.fields["document_number"] not in page.text
    assert (await dataset(portal, code.code_id, "penalty"))["state"] == "none"


async def test_an_objection_is_marked_beside_the_record(portal: PortalFixture) -> None:
    """Until the objection is closed."""
    await portal.add_records(make_record(uscc=portal.firm, objection_since=portal.clock()))
    code = await portal.add_code(portal.firm)
    assert "异议处理中" in (await portal.browser().get(f"/E/{code.code_id}")).text


async def test_only_public_fields_are_disclosed(portal: PortalFixture) -> None:
    """Severity needs consent; the appeal state is never disclosed."""
    await portal.add_records(make_record(uscc=portal.firm))
    code = await portal.add_code(portal.firm)
    section = await dataset(portal, code.code_id, "penalty")
    records = section["records"]
    assert isinstance(records, list)
    [told] = records
    assert "facts" in told["fields"]
    assert not {"severity", "procedure", "appeal_state", "determined_on"} & set(told["fields"])


async def test_the_operator_of_an_individual_business_is_masked(portal: PortalFixture) -> None:
    """张**, in HTML and JSON."""
    code = await portal.add_code(portal.shop)
    for headers in ({}, JSON):
        answer = await portal.browser().get(f"/E/{code.code_id}", headers=headers)
        assert "李**" in answer.text
        assert "李四光" not in answer.text


async def test_a_licence_is_shown_while_it_is_valid(portal: PortalFixture) -> None:
    """Through its last day."""
    licence = {"number": "许1", "name": "食品经营许可证"}
    base = make_record("commitment", uscc=portal.firm)
    for n, last in enumerate((date(2026, 11, 21), date(2026, 11, 22), date(2099, 12, 31))):
        await portal.add_records(
            type(base)(
                uscc=portal.firm,
                record_id=f"lic{n}",
                dataset="licence",
                source_id="s",
                natural_key=f"lic{n}",
                source_name="审批部门",
                source_time=portal.clock(),
                catalogue_version="2026.1",
                valid_to=last,
                fields=licence | {"valid_to": last.isoformat()},
            )
        )
    code = await portal.add_code(portal.firm)
    section = await dataset(portal, code.code_id, "licence")
    shown = {each["record_id"] for each in section["records"]}  # type: ignore[attr-defined]
    assert shown == {"lic1", "lic2"}
    assert "长期" in (await portal.browser().get(f"/E/{code.code_id}")).text


async def test_a_record_without_its_first_words_is_named_by_its_key(portal: PortalFixture) -> None:
    """A licence without a name is listed by its number."""
    named, bare = (
        make_record("commitment", uscc=portal.firm),
        {"number": "许〔2026〕9号", "category": "普通"},
    )
    await portal.add_records(replace(named, dataset="licence", record_id="bare", fields=bare))
    code = await portal.add_code(portal.firm)
    page = (await portal.browser().get(f"/E/{code.code_id}")).text
    line = re.search(r"<summary>(.*?)</summary>", page, re.DOTALL)
    assert line is not None
    assert "许〔2026〕9号" in line[1]


@pytest.mark.parametrize("headers", [{}, JSON])
async def test_a_revoked_code_warns_from_the_next_scan_on(
    portal: PortalFixture,
    headers: dict[str, str],
) -> None:
    """410, in red, without data of the enterprise."""
    code = await portal.add_code(portal.firm)
    await portal.revoke_code(code)
    answer = await portal.browser().get(f"/E/{code.code_id}", headers=headers)
    assert answer.status_code == 410
    assert "已作废" in answer.text
    assert "云栖" not in answer.text


async def test_an_unknown_code_says_that_it_may_be_forged(portal: PortalFixture) -> None:
    """With a way to report it."""
    answer = await portal.browser().get(f"/E/{'A' * 26}")
    assert answer.status_code == 404
    assert "伪造" in answer.text
    assert 'href="tel:12315"' in answer.text


@pytest.mark.parametrize("code_id", ["short", "A" * 25 + "1", "%20", "A" * 300, "<b>"])
async def test_what_is_no_code_says_so(portal: PortalFixture, code_id: str) -> None:
    """A cut address is no forgery; nothing of it is repeated."""
    answer = await portal.browser().get(f"/E/{code_id}")
    assert answer.status_code == 404
    assert "这不是企业码" in answer.text
    assert "伪造" not in answer.text
    assert "<b>" not in answer.text


def in_full_width(text: str) -> str:
    """The text in full-width characters."""
    return "".join(chr(ord(each) + 0xFEE0) for each in text)


@pytest.mark.parametrize("written", ["{} ", "{}/", "{}，", "{}。", "{}.", "%20{}", "{}%E2%80%8B"])
@pytest.mark.parametrize("form", [str, str.lower, in_full_width])
async def test_what_scanners_and_messages_add_leads_to_the_page(
    portal: PortalFixture, written: str, form: Callable[[str], str]
) -> None:
    """Blanks, lower case, full width, and a slash, comma or full stop at the end."""
    code = await portal.add_code(portal.firm)
    answer = await portal.browser().get(f"/E/{written.format(form(code.code_id))}")
    assert answer.status_code == 200
    assert code.check_phrase in answer.text


async def test_a_typed_number_or_address_leads_to_its_page(portal: PortalFixture) -> None:
    """Ours only: no other address is followed, and nothing can be told from the answer but its form."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    assert 'name="code"' in (await browser.get("/E/")).text
    grouped = " ".join(code.code_id[n : n + 4] for n in range(0, 26, 4))
    host = ISSUER.partition("://")[2]
    for typed in (
        code.code_id,
        grouped.lower(),
        f"{ISSUER}/E/{code.code_id}",
        f"{ISSUER}/E/{code.code_id}?lang=en#records",
        f"{host}/e/{code.code_id}",
        f"http://{host.upper()}/E/{code.code_id}/",
    ):
        answer = await browser.get("/E/", params={"code": typed, "lang": "en"})
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/E/{code.code_id}?lang=en"
    for typed in (
        f"https://evil.example/E/{code.code_id}",
        f"https://{host}.evil.example/E/{code.code_id}",
        f"https://evil.example/{host}/E/{code.code_id}",
        f"https://{code.code_id}",
        f"{code.code_id}?lang=en",
        "//evil.example",
        "\\r\\nSet-Cookie: a=b",
    ):
        answer = await browser.get("/E/", params={"code": typed})
        assert answer.status_code == 404
        assert "location" not in answer.headers
        assert 'role="alert"' in answer.text
        assert 'name="code"' in answer.text
    slip = await browser.get("/E/", params={"code": "ABCDEF 018"})
    assert 'value="ABCDEF 018"' in slip.text
    assert "没有 0 和 1" in slip.text
    lure = await browser.get("/E/", params={"code": "加微信领奖 evil.example"})
    assert "领奖" not in lure.text
    assert "这不是我们的网址" in lure.text
    unknown = await browser.get("/E/", params={"code": "A" * 26})
    assert unknown.status_code == 303


async def test_every_public_page_leads_to_the_hotline(portal: PortalFixture) -> None:
    """12315 as a link, in both languages; the page of a code has it in the first card."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    paths = [code.code_id, "A" * 26, "short", "", "?code=x", "how", "report", "report/sent"]
    for path in paths:
        for language in ("zh", "en"):
            joined = "&" if "?" in path else "?"
            page = (await browser.get(f"/E/{path}{joined}lang={language}")).text
            assert 'href="tel:12315"' in page, path
    page = (await browser.get(f"/E/{code.code_id}")).text
    assert page.index('href="tel:12315"') < page.index('id="records"')


async def test_the_address_alone_decides_language_and_size(portal: PortalFixture) -> None:
    """No cookie is read or set, so that one address has one page."""
    code = await portal.add_code(portal.firm)
    browser = portal.browser()
    english = await browser.get(f"/E/{code.code_id}?lang=en&size=large")
    assert "set-cookie" not in english.headers
    assert 'class=" large"' in english.text
    assert "?lang=zh&amp;size=large" in english.text
    assert "Xihu, Hangzhou" in english.text
    again = await browser.get(f"/E/{code.code_id}", headers={"Cookie": "xinqiao-lang=en"})
    assert '<html lang="zh-CN">' in again.text


async def test_a_gone_enterprise_is_said_first(portal: PortalFixture) -> None:
    """Deregistered, and listed before that."""
    async with portal.engine.begin() as connection:
        await connection.execute(
            update(enterprise).where(enterprise.c.uscc == portal.firm).values(status="deregistered")
        )
    await portal.add_records(make_record("serious_violation", uscc=portal.firm))
    code = await portal.add_code(portal.firm)
    document = (await portal.browser().get(f"/E/{code.code_id}", headers=JSON)).json()
    assert document["status"] == "ended"
    assert document["statement"]["zh"] == "企业已注销；有 1 条严重违法失信名单记录"
    assert [each["dataset"] for each in document["alerts"]] == ["serious_violation"]


async def test_the_licence_of_the_trade_is_on_the_page(portal: PortalFixture) -> None:
    """A snack shop's food licence with its last day; without one, what to look at."""
    async with portal.engine.begin() as connection:
        await connection.execute(
            update(enterprise).where(enterprise.c.uscc == portal.firm).values(industry="H6210")
        )
    code = await portal.add_code(portal.firm)
    page = await portal.browser().get(f"/E/{code.code_id}")
    assert "食品经营许可：未查到；小店可能是登记或备案，请看店内证照" in page.text
    held = {"number": "许3", "item_code": "food_operation", "valid_to": "2027-05-01"}
    await portal.add_records(
        replace(
            make_record("commitment", uscc=portal.firm),
            dataset="licence",
            record_id="food",
            valid_to=date(2027, 5, 1),
            fields=held,
        )
    )
    page = await portal.browser().get(f"/E/{code.code_id}")
    assert "食品经营许可：有效期至 <time>2027-05-01</time>" in page.text


async def test_the_page_says_its_words_in_english_too(portal: PortalFixture) -> None:
    """Chinese first, English second."""
    code = await portal.add_code(portal.firm)
    page = (await portal.browser().get(f"/E/{code.code_id}?lang=en")).text
    assert "no record within its publicity period was found" in page
    assert '<html lang="en">' in page


async def test_many_records_hide_no_other_dataset_and_none_is_left_out_unsaid(
    portal: PortalFixture,
) -> None:
    """Three at once, twenty on demand; beyond that the page gives the number."""
    records = [
        make_record(uscc=portal.firm, record_id=f"rec_{n}", natural_key=f"{n}") for n in range(22)
    ]
    await portal.add_records(*records)
    page = (await portal.browser().get(f"/E/{(await portal.add_code(portal.firm)).code_id}")).text
    assert page.index("22 条") < page.index("再看 17 条") < page.index("另有 2 条未列出")


async def test_an_individual_business_is_marked_and_not_listed(portal: PortalFixture) -> None:
    """标记为经营异常状态; 经营者 (masked), 注册日期 and 经营场所, and no capital."""
    code = await portal.add_code(portal.shop)
    page = (await portal.browser().get(f"/E/{code.code_id}")).text
    assert "未查询到标记为经营异常状态的信息" in page
    assert "列入经营异常" not in page
    for words in ("经营者", "注册日期", "经营场所"):
        assert words in page
    for words in ("注册资本", "成立日期", "法定代表人"):
        assert words not in page
    marked = make_record("abnormal_listing", uscc=portal.shop, reason="无法联系")
    await portal.add_records(marked)
    page = (await portal.browser().get(f"/E/{code.code_id}")).text
    assert "标记日期" in page
    assert "列入日期" not in page
    twin = (await portal.browser().get(f"/E/{code.code_id}", headers=JSON)).json()
    assert "capital" not in twin["enterprise"]


async def test_each_empty_warning_says_as_of_when_nothing_was_found(portal: PortalFixture) -> None:
    """R6 for every dataset: a list, a case, arrears, samples, liquidation."""
    code = await portal.add_code(portal.firm)
    document = (await portal.browser().get(f"/E/{code.code_id}", headers=JSON)).json()
    moment = portal.clock().astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    said = {each["dataset"]: each["statement"] for each in document["datasets"]}
    assert set(said) == set(public_datasets(CATALOGUE))
    for statement in said.values():
        assert statement["zh"].startswith(f"截至 {moment} 未查询到")
        assert statement["en"].startswith(f"As of {moment}, no ")
    assert said["untrustworthy_list"]["zh"].endswith("未查询到列入严重失信主体名单的信息")
    assert said["enforcement_case"]["zh"].endswith("未查询到在执行中的被执行人信息")


async def test_an_enforcement_case_is_a_warning_and_no_dishonesty(portal: PortalFixture) -> None:
    """It is shown among the warnings, and the status line counts no negative record for it."""
    case = replace(
        make_record(uscc=portal.firm),
        dataset="enforcement_case",
        published_on=None,
        fields={"case_number": "（2026）浙0106执1号", "filed_on": "2026-08-01"},
    )
    await portal.add_records(case)
    code = await portal.add_code(portal.firm)
    document = (await portal.browser().get(f"/E/{code.code_id}", headers=JSON)).json()
    section = next(e for e in document["datasets"] if e["dataset"] == "enforcement_case")
    assert section["state"] == "found"
    assert document["status"] == "notice"
    assert document["statement"]["zh"] == "有 1 条需要留意的信息（被执行人）"


async def test_every_page_of_a_code_names_its_authority_and_domain(portal: PortalFixture) -> None:
    """Also the pages of what is no code."""
    code = await portal.add_code(portal.firm)
    for path in (f"/E/{code.code_id}", "/E/", "/E/nothing", f"/E/{'A' * 26}"):
        page = (await portal.browser().get(path, headers={"Accept": "text/html"})).text
        head = page[page.index("<header>") : page.index("</header>")]
        assert AUTHORITY in head, path
        assert ISSUER.removeprefix("http://") in head, path
