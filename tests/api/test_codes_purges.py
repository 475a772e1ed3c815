"""Pages behind a CDN: kept for a short time, purged when they change, whatever changes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import text

from gateway.background.page_purges import PagePurger
from gateway.codes.public_page.summary import public_datasets
from gateway.codes.purges import outbox
from gateway.codes.store import Code
from gateway.creditfile.catalogue import load_catalogue
from gateway.pages.cdn import ALL_PAGES, PageCdn
from gateway.safe_fetch import UnfetchableError
from tests.clock import Clock
from tests.creditfile_builders import make_record
from tests.databases import new_database
from tests.openapi_description import ApiDescription
from tests.page_changes import CHANGES, change_page
from tests.portal_fixture import ISSUER, NOON, PortalFixture, open_portal
from tests.servers.caching_cdn import TOKEN, CachingCdn, caching_cdn
from tests.waiting import eventually, lock_waits

CDN_HEADERS: Final = ("CDN-Cache-Control", "Surrogate-Control", "Surrogate-Key", "Cache-Tag")
JSON: Final = "application/json"


@pytest.fixture
def clock() -> Clock:
    """The clock of gateway and CDN."""
    return Clock(NOON)


@pytest_asyncio.fixture
async def cdn(clock: Clock) -> AsyncIterator[CachingCdn]:
    """A CDN without an origin yet."""
    async with caching_cdn(clock) as made:
        yield made


@asynccontextmanager
async def behind(cdn: CachingCdn, url: str, folder: Path, clock: Clock) -> Any:
    """A portal behind the CDN, whose lease holds."""
    async with open_portal(
        url, folder, clock=clock, purge_url=cdn.purge_url, purge_token=TOKEN
    ) as portal:
        cdn.origin = portal.browser()
        code = await portal.add_code(portal.firm)

        async def is_leased() -> bool:
            answer = await portal.browser().get(f"/E/{code.code_id}")
            return "surrogate-key" in answer.headers

        await eventually(is_leased)
        yield portal


@pytest_asyncio.fixture
async def portal(
    cdn: CachingCdn, clock: Clock, postgres_url: str, tmp_path: Path
) -> AsyncIterator[PortalFixture]:
    """A portal behind the CDN, on a database of its own."""
    async with behind(cdn, await new_database(postgres_url), tmp_path, clock) as made:
        yield made


def page_cdn(portal: PortalFixture) -> PageCdn:
    """The portal's CDN."""
    assert portal.runtime.cdn is not None
    return portal.runtime.cdn


def purger_of(portal: PortalFixture, cdn: CachingCdn, repeat_after: int = 600) -> PagePurger:
    """Another worker's purger."""
    made = PageCdn(url=cdn.purge_url, token=TOKEN, max_age=60, digest_key=b"k" * 32)
    return PagePurger(engine=portal.runtime.background, cdn=made, repeat_after=repeat_after)


async def one_code_with_a_penalty(portal: PortalFixture) -> Code:
    """The code of a firm that has one record and one code, for `CHANGES`."""
    async with portal.engine.begin() as connection:
        await connection.execute(text("DELETE FROM enterprise_code"))
    await portal.add_records(make_record(uscc=portal.firm))
    return await portal.add_code(portal.firm)


async def count_rows(portal: PortalFixture) -> int:
    """Rows of the outbox."""
    async with portal.engine.connect() as connection:
        found = await connection.execute(text("SELECT count(*) FROM page_purge"))
        return int(found.scalar_one())


async def until_purged(cdn: CachingCdn, key: str, times: int = 1) -> None:
    """Wait until a key was purged so often."""

    async def is_purged() -> bool:
        return sum(key in keys for keys in cdn.purges) >= times

    await eventually(is_purged)


async def until_none_is_first(portal: PortalFixture) -> None:
    """Wait until every purge was sent once."""

    async def all_sent() -> bool:
        async with portal.engine.connect() as connection:
            query = text("SELECT count(*) FROM page_purge WHERE NOT is_repeat")
            return not (await connection.execute(query)).scalar_one()

    await eventually(all_sent)


async def metric(portal: PortalFixture, name: str) -> float:
    """A value that the worker's metrics show."""
    shown = (await portal.browser().get("/metrics")).text
    [value] = [each.split()[1] for each in shown.splitlines() if each.startswith(f"{name} ")]
    return float(value)


async def test_every_change_is_on_the_page_of_the_cdn_after_its_purge(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """The CDN answers by itself until then; whoever makes the change, a purge follows its commit."""
    code = await one_code_with_a_penalty(portal)
    address = f"/E/{code.code_id}"
    await until_none_is_first(portal)
    for what, sql in CHANGES.items():
        await cdn.get(address)
        kept = await cdn.get(address)
        assert kept.headers["x-cache"] == "hit", what
        cdn.purges.clear()
        await change_page(portal.engine, sql, uscc=portal.firm, now=portal.clock())
        await until_purged(cdn, page_cdn(portal).surrogate_key(portal.firm))
        await until_none_is_first(portal)
        fresh = await cdn.get(address)
        assert fresh.headers["x-cache"] == "miss", what
        assert fresh.content == (await portal.browser().get(address)).content, what
        assert fresh.content != kept.content, what


async def test_a_page_carries_opaque_keys_and_a_short_life_for_the_cdn_alone(
    portal: PortalFixture,
) -> None:
    """Browsers ask before each use, as without a CDN."""
    code = await one_code_with_a_penalty(portal)
    page = await portal.browser().get(f"/E/{code.code_id}")
    own, described = page_cdn(portal), ApiDescription(portal.app.openapi())
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["cdn-cache-control"] == "max-age=60, must-revalidate"
    assert page.headers["surrogate-control"] == "max-age=60"
    assert not described.headers("GET", f"/E/{code.code_id}", 200, page.headers)
    keys = page.headers["surrogate-key"].split()
    assert keys == [own.surrogate_key(portal.firm), own.surrogate_key(ALL_PAGES)]
    assert page.headers["cache-tag"].split(",") == keys
    assert portal.firm not in str(page.headers)
    again = await portal.browser().get(
        f"/E/{code.code_id}", headers={"If-None-Match": page.headers["etag"]}
    )
    assert again.status_code == 304
    assert again.headers["surrogate-key"] == page.headers["surrogate-key"]
    other = replace(own, digest_key=b"another installation's, as long.")
    assert other.surrogate_key(portal.firm) != own.surrogate_key(portal.firm)
    assert page.headers["x-request-id"] != "req-of-a-test", "kept for others"


async def test_the_json_of_a_page_is_not_for_the_cdn(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """They share an address: a CDN that does not follow `Vary` would show JSON to everybody."""
    code = await one_code_with_a_penalty(portal)
    twin = await portal.browser().get(f"/E/{code.code_id}", headers={"Accept": JSON})
    assert twin.headers["cache-control"] == "no-store"
    assert not [name for name in CDN_HEADERS if name in twin.headers]
    for _ in range(2):
        answer = await cdn.get(f"/E/{code.code_id}", JSON)
        assert answer.headers["x-cache"] == "miss"
        assert answer.json()["code"]["code_id"] == code.code_id


async def test_nothing_but_the_page_of_a_valid_code_is_given_to_the_cdn(
    portal: PortalFixture,
) -> None:
    """Unknown, malformed and revoked codes, on-screen codes, other pages and other methods."""
    code = await portal.add_code(portal.firm)
    await portal.revoke_code(code)
    addresses = (f"/E/{code.code_id}", f"/E/{'A' * 26}", "/E/x", "/E/", "/E/how", "/S/x", "/portal")
    for address in addresses:
        for accept in ("text/html", JSON):
            answer = await portal.browser().get(address, headers={"Accept": accept})
            assert not [name for name in CDN_HEADERS if name in answer.headers], address


async def test_a_page_is_kept_no_longer_than_until_a_clock_may_end(portal: PortalFixture) -> None:
    """Midnight, an announced repair, the code's own term; without a whole second it is not kept."""
    soon = portal.clock() + timedelta(seconds=20)
    await portal.add_records(make_record(uscc=portal.firm, repaired_at=soon))
    code = await portal.add_code(portal.firm)

    async def age() -> str | None:
        answer = await portal.browser().get(f"/E/{code.code_id}")
        return answer.headers.get("surrogate-control")

    assert await age() == "max-age=20"
    portal.clock.advance(timedelta(seconds=19.5))
    assert await age() is None
    portal.clock.advance(timedelta(seconds=1))
    assert await age() == "max-age=60"
    async with portal.engine.begin() as connection:
        values = {"until": portal.clock() + timedelta(seconds=7)}
        await connection.execute(text("UPDATE enterprise_code SET expires_at = :until"), values)
    assert await age() == "max-age=7"
    async with portal.engine.begin() as connection:
        await connection.execute(text("UPDATE enterprise_code SET expires_at = NULL"))
    portal.clock.advance(timedelta(hours=11, minutes=59, seconds=5))  # 23:59:25.5 in Shanghai
    assert await age() == "max-age=34"


async def test_where_the_cdn_is_dead_its_pages_end_by_themselves(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """The purge stays in the outbox and is sent when the CDN answers again."""
    code = await one_code_with_a_penalty(portal)
    await until_none_is_first(portal)
    address = f"/E/{code.code_id}"
    before = await cdn.get(address)
    cdn.is_dead = True
    cdn.purges.clear()
    await change_page(portal.engine, CHANGES["a repair"], uscc=portal.firm, now=portal.clock())
    key = page_cdn(portal).surrogate_key(portal.firm)
    await until_purged(cdn, key, times=2)
    assert (await cdn.get(address)).content == before.content
    portal.clock.advance(timedelta(seconds=60))
    assert "未查询到" in (await cdn.get(address)).text
    assert await metric(portal, "xinqiao_page_purge_failures_total") >= 2
    assert await metric(portal, "xinqiao_page_purge_overdue_seconds") > 0
    cdn.is_dead = False
    cdn.purges.clear()
    purged = await metric(portal, "xinqiao_page_purges_total")
    await until_purged(cdn, key)
    await until_none_is_first(portal)
    assert await metric(portal, "xinqiao_page_purges_total") > purged
    assert await metric(portal, "xinqiao_page_purge_lag_seconds_count") > 0


async def test_purges_of_a_gateway_that_ended_are_sent_by_the_next(
    cdn: CachingCdn, clock: Clock, postgres_url: str, tmp_path: Path
) -> None:
    """The outbox is in the database, written by the transaction of the change."""
    url = await new_database(postgres_url)
    cdn.is_dead = True
    async with behind(cdn, url, tmp_path, clock) as first:
        firm = first.firm
        await one_code_with_a_penalty(first)
        cdn.purges.clear()
    cdn.is_dead = False
    (tmp_path / "again").mkdir()
    async with open_portal(
        url, tmp_path / "again", clock=clock, purge_url=cdn.purge_url, purge_token=TOKEN
    ) as second:
        await until_purged(cdn, page_cdn(second).surrogate_key(firm))


async def test_a_worker_killed_while_it_sends_leaves_its_purges_to_another(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """Its session ends, and with it the locks on its rows."""
    await until_none_is_first(portal)
    page_cdn(portal).url = "http://127.0.0.1:9/"  # the portal's own worker does not get through
    await portal.add_code(portal.firm)
    async with portal.engine.connect() as killed:
        taken = await outbox.take_due(killed, await outbox.read_backlog(killed))
        assert taken is not None
        assert not await purger_of(portal, cdn).send_due(), "taken by the other"
        process = (await killed.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        async with portal.engine.connect() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": process})
        await killed.invalidate()
    other = purger_of(portal, cdn)
    await eventually(other.send_due)
    assert other.cdn.surrogate_key(portal.firm) in cdn.purges[-1]


async def note_purges(portal: PortalFixture, number: int) -> None:
    """Note so many due purges, of `u1`, `u2`, …, and no others; the gateway itself sends none."""
    await until_none_is_first(portal)
    page_cdn(portal).url = "http://127.0.0.1:9/"
    async with portal.engine.begin() as connection:
        await connection.execute(text("DELETE FROM page_purge"))
        await connection.execute(
            text("INSERT INTO page_purge (uscc) SELECT 'u' || n FROM generate_series(1, :n) AS n"),
            {"n": number},
        )


async def test_several_workers_send_each_purge_once_and_then_repeat_it(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """In calls of at most a hundred; the repetition is for a page that was on its way."""
    await note_purges(portal, 450)
    cdn.purges.clear()
    workers = [purger_of(portal, cdn, repeat_after=0) for _ in range(3)]

    async def send_all(worker: PagePurger) -> None:
        while await count_rows(portal):  # some may be locked by the gateway's own, which fails
            await worker.send_due()

    await asyncio.gather(*map(send_all, workers))
    assert max(map(len, cdn.purges)) == outbox.BATCH
    sent = [key for keys in cdn.purges for key in keys]
    expected = [workers[0].cdn.surrogate_key(f"u{n}") for n in range(1, 451)]
    assert sorted(sent) == sorted(expected * 2)
    assert await count_rows(portal) == 0


async def test_very_many_purges_become_one_of_all_pages(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """A delivery of a whole province is one call before its rows are touched, one after, and a repetition."""
    await note_purges(portal, outbox.TOO_MANY + 1)
    cdn.purges.clear()
    cdn.stalled = asyncio.Event()
    observed = await metric(portal, "xinqiao_page_purge_lag_seconds_count")
    worker = purger_of(portal, cdn, repeat_after=0)
    all_pages = worker.cdn.surrogate_key(ALL_PAGES)
    sending = asyncio.create_task(worker.send_due())
    await until_purged(cdn, all_pages)
    async with portal.engine.connect() as connection:
        query = "SELECT purge_id FROM page_purge FOR UPDATE SKIP LOCKED"
        assert len((await connection.execute(text(query))).all()) == outbox.TOO_MANY + 1
    cdn.stalled.set()
    assert await sending
    assert await metric(portal, "xinqiao_page_purge_lag_seconds_count") == observed + 1
    await eventually(worker.send_due)  # the gateway's own, which fails, may hold the repetition
    assert cdn.purges == [[all_pages]] * 3
    assert await count_rows(portal) == 0


async def test_a_new_catalogue_purges_all_pages_and_is_leased_before_pages_are_given(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """A dataset that it publishes is under the lease before a page with it goes to the CDN."""
    await until_none_is_first(portal)
    cdn.purges.clear()
    async with portal.engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO catalogue_version (version, document, digest, base, widens, loaded_by, loaded_at)
            VALUES ('waiting', '', '\\x00', '', '{}', 'operator', now())""")
        )
    await until_purged(cdn, page_cdn(portal).surrogate_key(ALL_PAGES))
    datasets = load_catalogue().public_page
    assert page_cdn(portal).is_told(datasets)
    assert not page_cdn(portal).is_told((*datasets, "tax_and_social"))


async def test_what_is_not_public_purges_nothing(portal: PortalFixture) -> None:
    """A purge tells the CDN that a page has changed, and nothing of what no page shows."""
    await until_none_is_first(portal)
    before = await count_rows(portal)
    await portal.add_records(make_record(uscc=portal.firm, dataset="tax_and_social"))
    assert await count_rows(portal) == before


async def test_a_change_of_an_enterprise_without_a_code_is_not_told(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """It has no page; one whose last code was deleted had one."""
    key = page_cdn(portal).surrogate_key(portal.elsewhere)
    await portal.add_records(make_record(uscc=portal.elsewhere))
    async with portal.engine.begin() as connection:
        values = {"uscc": portal.elsewhere}
        query = "UPDATE enterprise SET name = name || '店' WHERE uscc = :uscc"
        await connection.execute(text(query), values)
    await until_none_is_first(portal)
    assert not [keys for keys in cdn.purges if key in keys]
    await portal.add_code(portal.elsewhere)
    await until_purged(cdn, key)
    cdn.purges.clear()
    async with portal.engine.begin() as connection:
        query = "DELETE FROM enterprise_code WHERE uscc = :uscc"
        await connection.execute(text(query), values)
    await until_purged(cdn, key)


async def test_a_change_under_way_when_the_first_code_is_issued_is_told(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """The page of the new code may have been fetched before the change was committed."""
    await until_none_is_first(portal)
    async with portal.engine.begin() as connection:
        query = "UPDATE enterprise SET name = name || '店' WHERE uscc = :uscc"
        await connection.execute(text(query), {"uscc": portal.elsewhere})
        await portal.add_code(portal.elsewhere)
        await until_purged(cdn, page_cdn(portal).surrogate_key(portal.elsewhere))
        cdn.purges.clear()
    await until_purged(cdn, page_cdn(portal).surrogate_key(portal.elsewhere))


async def test_values_encrypted_anew_purge_nothing(portal: PortalFixture) -> None:
    """No page shows them; what else a statement changes in their rows is noted."""
    await one_code_with_a_penalty(portal)
    await until_none_is_first(portal)
    page_cdn(portal).url = "http://127.0.0.1:9/"
    before = await count_rows(portal)
    for table in ("enterprise", "record"):
        async with portal.engine.begin() as connection:
            query = f"UPDATE {table} SET personal = '\\x01', digests = '{{\"a\": 1}}'"  # noqa: S608  # constant
            await connection.execute(text(query.replace(":", "\\:")))
        assert await count_rows(portal) == before, table
    for number, (table, column) in enumerate(
        [("enterprise", "address"), ("record", "natural_key"), ("record", "record_id")]
    ):
        async with portal.engine.begin() as connection:
            query = f"""UPDATE {table} SET personal = '\\x02', {column} = {column} || '2'
                WHERE uscc = '{portal.firm}'"""  # noqa: S608  # constant
            assert (await connection.execute(text(query))).rowcount == 1
        assert await count_rows(portal) == before + number + 1, column


async def test_whoever_copies_upserts_or_truncates_purges_too(portal: PortalFixture) -> None:
    """Deliveries and bulk issues write by COPY and ON CONFLICT; each is noted once a statement."""
    await until_none_is_first(portal)
    page_cdn(portal).url = "http://127.0.0.1:9/"
    columns = ("uscc", "code_id", "sign_name", "check_phrase", "issued_at")
    codes = [(uscc, f"{n}", "店", "", NOON) for uscc in ("u1", "u2") for n in range(3)]
    upsert = """INSERT INTO enterprise_code (uscc, code_id, sign_name, check_phrase, issued_at)
        VALUES ('u3', '1', '', '', now()), ('u1', '1', '', '', now())
        ON CONFLICT (uscc, code_id) DO UPDATE SET sign_name = '新店'"""
    async with portal.engine.begin() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.copy_records_to_table("enterprise_code", records=codes, columns=columns)
        await connection.execute(text(upsert))
        await connection.execute(text("TRUNCATE enterprise_code"))
    async with portal.engine.connect() as connection:
        query = "SELECT uscc FROM page_purge WHERE NOT is_repeat ORDER BY uscc"
        noted = (await connection.execute(text(query))).scalars().all()
    assert noted == ["", "u1", "u1", "u2", "u3"]


async def test_a_lease_holds_once_older_transactions_have_ended(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """One that began to write before the lease notes no purge; no page is given away until it ends."""
    async with portal.engine.begin() as connection:
        await connection.execute(text("DELETE FROM page_purge_lease"))
    worker = purger_of(portal, cdn)
    async with portal.engine.begin() as earlier:
        await earlier.execute(text("UPDATE enterprise SET address = address || '2'"))
        assert not await worker.renew_lease(portal.runtime.catalogue)
        assert not worker.cdn.is_told(())

    async def is_leased() -> bool:
        return await worker.renew_lease(portal.runtime.catalogue)

    await eventually(is_leased)
    assert worker.cdn.is_told(())


async def test_a_lease_does_not_hold_over_what_began_before_its_commit(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """A later transaction that has not seen it noted no purge, also while another renewal waits."""
    async with portal.engine.begin() as connection:
        await connection.execute(text("DELETE FROM page_purge_lease"))
        await connection.execute(text("DELETE FROM page_purge"))
    worker, catalogue = purger_of(portal, cdn), portal.runtime.catalogue
    async with portal.engine.connect() as first, portal.engine.connect() as later:
        assert not await outbox.renew_lease(first, public_datasets(catalogue))
        waiting = asyncio.create_task(worker.renew_lease(catalogue))
        await lock_waits(portal.engine)
        await later.execute(text("UPDATE enterprise SET address = address || '2'"))
        await first.commit()
        assert not await waiting
        for _ in range(2):
            assert not await worker.renew_lease(catalogue)
        await later.commit()
    assert await count_rows(portal) == 0
    await eventually(lambda: worker.renew_lease(catalogue))


async def test_a_lease_of_another_server_begins_anew(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """A dump that is restored brings numbers of transactions that are still to come here."""
    async with portal.engine.begin() as connection:
        await connection.execute(text("UPDATE page_purge_lease SET since = 1::bigint << 60"))
    worker = purger_of(portal, cdn)

    async def is_leased() -> bool:
        return await worker.renew_lease(portal.runtime.catalogue)

    await eventually(is_leased)


def test_a_worker_trusts_its_own_renewals_alone() -> None:
    """Where it cannot renew its lease, the CDN has to ask again, long before the lease ends."""
    seconds = [0.0]
    made = PageCdn(url="", token="", max_age=60, digest_key=b"k", clock=lambda: seconds[0])
    assert not made.is_told(())
    made.trust_lease(["penalty"])
    assert made.is_told(["penalty"])
    assert not made.is_told(["penalty", "tax"])
    seconds[0] = 301
    assert not made.is_told(["penalty"])


async def test_a_page_that_was_read_before_the_lease_is_not_given_to_the_cdn(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """What changed in between was not purged; the next answer is for the CDN."""
    code = await one_code_with_a_penalty(portal)
    made = purger_of(portal, cdn).cdn
    portal.app.state.runtime = replace(portal.runtime, cdn=made)
    datasets, address = public_datasets(portal.runtime.catalogue), f"/E/{code.code_id}"
    async with portal.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE enterprise_code_locator"))
        reading = asyncio.create_task(portal.browser().get(address))
        await lock_waits(portal.engine)
        made.trust_lease(datasets)
    assert not [name for name in CDN_HEADERS if name in (await reading).headers]
    again = await portal.browser().get(address)
    assert again.headers["surrogate-control"] == "max-age=60"


async def test_a_refused_purge_is_an_error_without_a_secret(
    portal: PortalFixture, cdn: CachingCdn
) -> None:
    """Redirects and other answers than success count as not purged."""
    await until_none_is_first(portal)
    page_cdn(portal).url = "http://127.0.0.1:9/"
    await portal.add_code(portal.firm)
    worker = purger_of(portal, cdn)
    worker.cdn.token = "another"

    async def refusal() -> str:
        """Empty while the gateway's own worker, which reaches no CDN, has taken the purge."""
        try:
            assert not await worker.send_due()
        except UnfetchableError as error:
            return str(error)
        return ""

    assert "401" in await eventually(refusal)
    assert worker.send_pause.seconds > 0.5
    assert "another" not in repr(worker)
    assert await count_rows(portal) > 0


async def test_without_a_purge_url_nothing_is_different(postgres_url: str, tmp_path: Path) -> None:
    """No header, no lease, no trigger, no row."""
    async with open_portal(await new_database(postgres_url), tmp_path) as portal:
        code = await one_code_with_a_penalty(portal)
        for accept in ("text/html", JSON):
            answer: httpx2.Response = await portal.browser().get(
                f"{ISSUER}/E/{code.code_id}", headers={"Accept": accept}
            )
            assert not [name for name in CDN_HEADERS if name in answer.headers]
            assert answer.headers["x-request-id"] == "req-of-a-test"
        async with portal.engine.connect() as connection:
            for query in (
                "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'page_purge%'",
                "SELECT count(*) FROM page_purge_lease",
                "SELECT count(*) FROM page_purge",
            ):
                assert (await connection.execute(text(query))).scalar_one() == 0
