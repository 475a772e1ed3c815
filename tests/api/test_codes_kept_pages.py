"""Kept pages of enterprise codes: what changes is shown by the next request, in every worker."""

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import brotli
import httpx2
from sqlalchemy import delete
from sqlmodel import col

from gateway.codes.store import Code
from gateway.codes.tables import CodeRow
from gateway.creditfile.catalogue import load_catalogue
from gateway.pages.kept_pages import KeptPages
from gateway.signing.http_signatures import content_digest
from tests.creditfile_builders import make_record
from tests.gateway_fixture import in_process
from tests.page_changes import CHANGES, change_page
from tests.portal_fixture import ISSUER, PortalFixture
from tests.statement_recorder import record_statements

CODINGS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "identity": bytes,
}


async def code_of_a_penalised_firm(portal: PortalFixture) -> Code:
    """A code whose page shows one penalty."""
    await portal.add_records(make_record(uscc=portal.firm))
    return await portal.add_code(portal.firm)


async def made_anew(portal: PortalFixture, address: str, **headers: str) -> httpx2.Response:
    """The answer of an instance that keeps nothing."""
    usual = portal.runtime
    portal.app.state.runtime = replace(usual, kept_pages=KeptPages())
    try:
        return await portal.browser().get(address, headers=headers)
    finally:
        portal.app.state.runtime = usual


def as_seen(answer: httpx2.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Status, content and headers."""
    return answer.status_code, answer.content, sorted(answer.headers.items())


async def test_every_change_is_on_the_page_at_the_next_request_in_both_workers(
    portal: PortalFixture,
) -> None:
    """Two instances on one database, neither of which tells the other anything."""
    code = await code_of_a_penalised_firm(portal)
    address = f"/E/{code.code_id}"
    async with in_process(portal.runtime.settings, portal.clock) as (_, other):
        workers: tuple[Callable[[str], Awaitable[httpx2.Response]], ...] = (
            portal.browser(**{"X-Request-Id": "req-of-a-test"}).get,
            lambda path: other.get(path, headers={"X-Request-Id": "req-of-a-test"}),
        )
        before = [(await get(address)).content for get in workers]
        assert before[0] == before[1]
        for what, sql in CHANGES.items():
            await change_page(portal.engine, sql, uscc=portal.firm, now=portal.clock())
            fresh = await made_anew(portal, address)
            assert fresh.content != before[0], what
            for get in workers:
                assert as_seen(await get(address))[:2] == as_seen(fresh)[:2], what
            before = [fresh.content]


async def test_an_unchanged_page_costs_one_statement_and_is_not_made_again(
    portal: PortalFixture,
) -> None:
    """The statement reads no record where the mark is the known one."""
    code = await code_of_a_penalised_firm(portal)
    first = await portal.browser().get(f"/E/{code.code_id}")
    with record_statements(portal.app) as database:
        again = await portal.browser().get(f"/E/{code.code_id}")
        assert as_seen(again) == as_seen(first)
        [(statement, values)] = database.asked
        row = await database.inner.row(statement, values)
    assert row is not None
    assert not {"enterprise", "records"} & set(row.keys())


async def test_a_page_changes_when_its_minute_or_an_announced_repair_comes(
    portal: PortalFixture,
) -> None:
    """Without any statement that changes a row."""
    soon = portal.clock() + timedelta(seconds=30)
    shown = make_record(uscc=portal.firm, repaired_at=soon)
    await portal.add_records(shown)
    code = await portal.add_code(portal.firm)
    number = str(shown.fields["document_number"])
    get = portal.browser().get
    assert number in (await get(f"/E/{code.code_id}")).text
    portal.clock.advance(timedelta(seconds=29))
    assert number in (await get(f"/E/{code.code_id}")).text
    portal.clock.advance(timedelta(seconds=1))
    repaired = await get(f"/E/{code.code_id}")
    assert number not in repaired.text
    portal.clock.advance(timedelta(seconds=30))
    later = await get(f"/E/{code.code_id}")
    assert "12:01" in later.text
    assert later.headers["etag"] != repaired.headers["etag"]


async def test_a_new_catalogue_makes_pages_anew(portal: PortalFixture) -> None:
    """A worker that has switched shows nothing of the one before."""
    code = await code_of_a_penalised_firm(portal)
    address = f"/E/{code.code_id}"
    before = await portal.browser().get(address)
    document = portal.runtime.catalogue
    narrowed = load_catalogue().model_copy(
        update={"datasets": tuple(each for each in document.datasets if each.code != "penalty")}
    )
    portal.app.state.runtime = replace(portal.runtime, catalogue=narrowed)
    after = await portal.browser().get(address)
    assert "行政处罚" in before.text
    assert "行政处罚决定书" not in after.text
    assert after.content == (await made_anew(portal, address)).content


async def test_the_first_page_of_a_code_is_coded_quickly_and_the_next_ones_well(
    portal: PortalFixture,
) -> None:
    """Other bytes of the same text have another tag; a kept page stays as it was first sent."""
    code = await code_of_a_penalised_firm(portal)
    address = f"/E/{code.code_id}"
    for coding, decode in CODINGS.items():
        portal.runtime.kept_pages.drop((code.code_id, None, None))
        first, quick = await raw_get(portal, address, coding)
        kept, same = await raw_get(portal, address, coding)
        assert (kept.headers["etag"], same) == (first.headers["etag"], quick)
        portal.clock.advance(timedelta(minutes=1))
        second, well = await raw_get(portal, address, coding)
        portal.runtime.kept_pages.drop((code.code_id, None, None))
        again, quick_again = await raw_get(portal, address, coding)
        assert decode(well) == decode(quick_again)
        if coding == "identity":
            assert second.headers["etag"] == again.headers["etag"]
        else:
            assert second.headers["etag"] != again.headers["etag"]
            assert len(well) < len(quick_again)


async def test_a_code_is_looked_up_once_and_read_at_each_request(portal: PortalFixture) -> None:
    """Its enterprise never changes; whether there is such a code, its enterprise's shard says anew."""
    code = await code_of_a_penalised_firm(portal)
    numbers = []
    for _ in range(2):
        portal.runtime.kept_pages.drop((code.code_id, None, None))
        with record_statements(portal.app) as database:
            assert (await portal.browser().get(f"/E/{code.code_id}")).status_code == 200
        numbers.append(
            sum("code_id" in values for _, values in database.asked)
        )  # not the background
    assert numbers == [2, 1]
    portal.runtime.kept_pages.drop((code.code_id, None, None))
    async with portal.engine.begin() as connection:
        await connection.execute(delete(CodeRow).where(col(CodeRow.code_id) == code.code_id))
    assert (await portal.browser().get(f"/E/{code.code_id}")).status_code == 404


async def test_each_form_of_a_page_is_kept_by_itself_in_each_coding(portal: PortalFixture) -> None:
    """Language and size are the address's, the coding is the header's; each has a strong tag of its own."""
    code = await code_of_a_penalised_firm(portal)
    tags = set()
    for query in ("", "?lang=zh", "?lang=en", "?size=large", "?lang=en&size=large"):
        address = f"/E/{code.code_id}{query}"
        plain = (await made_anew(portal, address, **{"Accept-Encoding": "identity"})).content
        for coding, decode in CODINGS.items():
            answer, raw = await raw_get(portal, address, coding)
            assert decode(raw) == plain
            assert answer.headers.get("content-encoding", "identity") == coding
            assert answer.headers["content-length"] == str(len(raw))
            assert answer.headers["vary"] == "Accept, Accept-Encoding"
            tags.add(answer.headers["etag"])
    assert len(tags) == 4 * 3  # Chinese is the same page, asked for or not
    assert all(tag.startswith('"') for tag in tags)


async def raw_get(
    portal: PortalFixture, address: str, coding: str, **headers: str
) -> tuple[httpx2.Response, bytes]:
    """An answer with its content as sent."""
    sent = {"Accept-Encoding": coding} | headers
    async with portal.browser().stream("GET", address, headers=sent) as answer:
        return answer, b"".join([part async for part in answer.aiter_raw()])


async def test_who_has_the_page_already_gets_304_until_it_changes(portal: PortalFixture) -> None:
    """RFC 9110 §13.1.2 and §15.4.5: by weak comparison, in a list, by HEAD too; never for what is gone."""
    code = await code_of_a_penalised_firm(portal)
    address = f"/E/{code.code_id}"
    browser = portal.browser()
    first = await browser.get(address)
    tag = first.headers["etag"]
    for names in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = await browser.request(method, address, headers={"If-None-Match": names})
            assert (again.status_code, again.content) == (304, b""), names
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == "no-cache"
            assert again.headers["vary"] == first.headers["vary"]
    head = await browser.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == first.headers["content-length"]
    for names in ('"other"', tag.strip('"'), f'"{tag.strip(chr(34))}x"', ""):
        assert (await browser.get(address, headers={"If-None-Match": names})).status_code == 200
    await portal.revoke_code(code)
    gone = await browser.get(address, headers={"If-None-Match": f"{tag}, *"})
    assert gone.status_code == 410


HOSTILE: Final = (
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil"},
    {"X-Original-URL": "/portal", "X-Rewrite-URL": "/portal", "X-Forwarded-Prefix": "/evil"},
    {"Accept-Language": "en", "Cookie": "xinqiao-lang=en", "Accept": "text/html;evil"},
    {"Accept-Encoding": "br, evil\t", "Range": "bytes=0-10", "If-None-Match": '"x"'},
    {"X-HTTP-Method-Override": "HEAD", "X-Request-Id": "evil"},
)


async def test_no_request_spoils_the_page_of_another(portal: PortalFixture) -> None:
    """Headers and queries that a page is not chosen by leave no trace in what is kept."""
    code = await code_of_a_penalised_firm(portal)
    address = f"/E/{code.code_id}"
    fresh = await made_anew(portal, address)
    for hostile in HOSTILE:
        for query in ("", "?utm=evil&callback=evil", "?lang=evil&size=evil", "?lang", "?lang=en"):
            portal.runtime.kept_pages.drop((code.code_id, None, None))
            spoiling = await portal.browser().get(f"{address}{query}", headers=hostile)
            assert "evil" not in spoiling.text
            assert as_seen(await portal.browser().get(address)) == as_seen(fresh)


async def test_codes_do_not_share_pages(portal: PortalFixture) -> None:
    """Two stickers of one enterprise have a page each, with its own phrase."""
    one, other = [await portal.add_code(portal.firm, sign) for sign in ("一店", "二店")]
    for _ in range(2):
        for mine, theirs in ((one, other), (other, one)):
            page = (await portal.browser().get(f"{ISSUER}/E/{mine.code_id}")).text
            assert mine.check_phrase in page
            assert theirs.sign_name not in page


async def test_pages_of_no_code_are_coded_and_not_kept(portal: PortalFixture) -> None:
    """An unknown id takes no memory, and may be issued a moment later."""
    address = f"/E/{'A' * 26}"
    answer, raw = await raw_get(portal, address, "gzip")
    assert (answer.status_code, answer.headers["content-encoding"]) == (404, "gzip")
    assert "伪造" in gzip.decompress(raw).decode()
    assert "etag" not in answer.headers
    looked_up = await portal.browser().get("/E/")
    again: Any = await portal.browser().get(
        "/E/", headers={"If-None-Match": looked_up.headers["etag"]}
    )
    assert again.status_code == 304
    assert len(portal.runtime.kept_pages) == 0


async def test_the_json_twin_is_made_and_signed_once_a_minute_at_its_one_address(
    portal: PortalFixture,
) -> None:
    """However often it is asked for: the same signature, while it is the same page."""
    code = await code_of_a_penalised_firm(portal)
    browser = portal.browser(Accept="application/json")
    address = f"/E/{code.code_id}"
    first = await browser.get(address)
    portal.clock.advance(timedelta(seconds=20))
    again = await browser.get(address)
    assert as_seen(again) == as_seen(first)
    assert ";created=" in first.headers["signature-input"]
    head = await browser.head(address)
    assert head.headers["signature"] != first.headers["signature"]
    digest = {"Content-Digest": content_digest(b"x")}
    digested = await browser.request("GET", address, content=b"x", headers=digest)
    assert '"content-digest";req' in digested.headers["signature-input"]
    assert as_seen(await browser.get(address)) == as_seen(first)
    for other in (f"{address}?lang=en", f"{address}?x={'y' * 100}", f"/e/{code.code_id.lower()}"):
        answer = await browser.get(other)
        assert (answer.status_code, answer.headers["location"]) == (303, address)
        assert "signature" not in answer.headers
    await change_page(portal.engine, CHANGES["a repair"], uscc=portal.firm, now=portal.clock())
    repaired = await browser.get(address)
    assert repaired.content != first.content
    assert repaired.headers["signature"] != first.headers["signature"]
