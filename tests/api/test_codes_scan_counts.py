"""Scan counts per code and day: coarse, without identity, closed when the day ends."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import httpx2
import pytest
import pytest_asyncio

from gateway.background.scan_writer import close_ended_days, write_scans
from gateway.codes.network_limits import UNKNOWN_PER_TEN_MINUTES
from gateway.codes.scans import store
from gateway.codes.scans.counter import MAX_CODES, ScanCount, ScanCounter, ScanKey
from gateway.creditfile.local_dates import day_of
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.code_reports_builders import rows
from tests.portal_fixture import PortalFixture, open_portal

PROXY: Final = "127.0.0.1"
NETWORK: Final = bytes([203, 0, 113])


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running gateway behind a trusted proxy, without earlier counts."""
    async with open_portal(migrated_url, tmp_path, trusted_proxies=PROXY) as made:
        await rows(made, "TRUNCATE code_scan_today, code_scan_day, code_report_case, code_report")
        await write_scans(made.runtime, counter_of(made))  # the salt of the test's own day
        yield made


def counter_of(portal: PortalFixture) -> ScanCounter:
    """The worker's counter."""
    counter: ScanCounter = portal.app.state.scan_counter
    return counter


def browser_at(portal: PortalFixture, address: str) -> httpx2.AsyncClient:
    """A browser whose address the proxy names."""
    return portal.browser(**{"X-Forwarded-For": f"198.51.100.7, {address}"})


async def scan(portal: PortalFixture, code_id: str, *addresses: str) -> None:
    """Scan a code from each address."""
    for each in addresses:
        assert (await browser_at(portal, each).get(f"/E/{code_id}")).status_code == 200


class DeadLimiter:
    """A limiter that cannot be reached."""

    async def shared_random(self, _name: str, _seconds: int) -> str:
        """Refuse."""
        raise LimiterUnavailableError

    async def admit(self, _admission: object) -> None:
        """Refuse."""
        raise LimiterUnavailableError

    async def close(self) -> None:
        """Nothing is open."""


async def test_scans_count_once_per_network_and_keep_no_address(portal: PortalFixture) -> None:
    """Two networks, three scans of which one is a repeat; a row holds numbers and bits alone."""
    code = await portal.add_code(portal.firm)
    await scan(portal, code.code_id, "203.0.113.5", "203.0.113.99", "2001:db8:1::1")
    assert await write_scans(portal.runtime, counter_of(portal)) == 1
    [row] = await rows(portal, "SELECT *, bit_count(networks) AS bits FROM code_scan_today")
    assert (row["scans"], row["bits"]) == (2, 2)
    assert set(row) == {"code_id", "day", "scans", "networks", "bits", "revoked"}
    for table in ("code_scan_today", "code_scan_day"):
        assert "203.0.113" not in str(await rows(portal, f"SELECT * FROM {table}"))  # noqa: S608
    await scan(portal, code.code_id, "203.0.113.5")
    await write_scans(portal.runtime, counter_of(portal))
    [row] = await rows(portal, "SELECT scans, bit_count(networks) AS bits FROM code_scan_today")
    assert (row["scans"], row["bits"]) == (3, 2), "the same network in a later interval"


async def test_digests_of_two_days_cannot_be_joined(portal: PortalFixture) -> None:
    """The salt of a day is random and gone at midnight; without it nothing is counted."""
    salt, now = counter_of(portal).salt, portal.clock()
    today = salt.digest(NETWORK, day_of(now))
    assert today is not None
    portal.clock.advance(timedelta(days=1))
    assert salt.digest(NETWORK, day_of(portal.clock())) is None
    await salt.refresh(portal.runtime.limiter, portal.clock())
    tomorrow = salt.digest(NETWORK, day_of(portal.clock()))
    assert tomorrow not in {None, today}
    portal.clock.advance(timedelta(days=-1))
    await salt.refresh(portal.runtime.limiter, portal.clock())
    assert salt.digest(NETWORK, day_of(portal.clock())) != tomorrow


async def test_without_the_limiter_pages_open_and_nothing_is_counted(
    portal: PortalFixture,
) -> None:
    """What was counted is dropped too; a report is refused, an unknown id is answered as before."""
    code = await portal.add_code(portal.firm)
    await scan(portal, code.code_id, "203.0.113.5")
    alive = portal.runtime.limiter
    object.__setattr__(portal.runtime, "limiter", DeadLimiter())
    with pytest.raises(LimiterUnavailableError):
        await write_scans(portal.runtime, counter_of(portal))
    await scan(portal, code.code_id, "203.0.113.5")
    assert (await portal.browser().get(f"/E/{'A' * 26}")).status_code == 404
    object.__setattr__(portal.runtime, "limiter", alive)
    assert await write_scans(portal.runtime, counter_of(portal)) == 0
    assert await rows(portal, "SELECT * FROM code_scan_today") == []


async def test_a_changed_salt_drops_the_interval(portal: PortalFixture) -> None:
    """After a flush of the limiter the bits of before mean other networks."""
    code, counter = await portal.add_code(portal.firm), counter_of(portal)
    await scan(portal, code.code_id, "203.0.113.5")
    counter.salt._salt = b"of before the flush"
    assert await write_scans(portal.runtime, counter) == 0
    await scan(portal, code.code_id, "203.0.113.5")
    assert await write_scans(portal.runtime, counter) == 1


async def test_only_codes_that_are_valid_or_revoked_are_counted(portal: PortalFixture) -> None:
    """Neither unknown ids nor replaced or expired codes: those stickers are old, not false."""
    for change in ("replaced_by = 'x', revoked_at = now()", "expires_at = '2020-01-01T00:00:00Z'"):
        code = await portal.add_code(portal.firm)
        sql = f"UPDATE enterprise_code SET {change} WHERE code_id = :c"  # noqa: S608  # constants
        await rows(portal, sql, c=code.code_id)
        assert (await portal.browser().get(f"/E/{code.code_id}")).status_code == 410
    await portal.browser().get(f"/E/{'A' * 26}")
    assert await write_scans(portal.runtime, counter_of(portal)) == 0


async def test_a_revoked_sticker_that_still_hangs_is_listed_once_in_four_weeks(
    portal: PortalFixture,
) -> None:
    """From three networks a day on, apart from the scans before it was revoked."""
    code, today = await portal.add_code(portal.firm), day_of(portal.clock())
    await scan(portal, code.code_id, "203.0.113.5", "2001:db8:1::1", "198.51.100.9")
    await portal.revoke_code(code)
    for address in ("203.0.113.5", "203.0.114.5"):
        await browser_at(portal, address).get(f"/E/{code.code_id}")
    assert await write_scans(portal.runtime, counter_of(portal)) == 2
    counted = await rows(portal, "SELECT revoked, scans FROM code_scan_today ORDER BY revoked")
    assert [tuple(each.values()) for each in counted] == [(False, 3), (True, 2)]
    portal.clock.advance(timedelta(days=1))
    await close_ended_days(portal.runtime)
    assert await rows(portal, "SELECT * FROM code_report_case") == []
    for back in (40, 30, 3, 2, 1):
        await add_day(portal, today - timedelta(days=back), code.code_id, 3, revoked=True)
        await close_ended_days(portal.runtime)
    listed = await rows(portal, "SELECT day FROM code_scan_day WHERE unusual ORDER BY day")
    assert [each["day"] for each in listed] == [today - timedelta(days=n) for n in (40, 3)]
    [case] = await rows(portal, "SELECT * FROM code_report_case")
    assert case["unusual"]["revoked"] is True
    assert case["uscc"] == portal.firm


async def add_day(
    portal: PortalFixture,
    day: date,
    code_id: str,
    networks: int,
    *,
    each: int = 1,
    revoked: bool = False,
) -> None:
    """Counts of a day with this many networks."""
    bits = sum(1 << n for n in range(networks))
    async with portal.engine.begin() as connection:
        count = ScanCount(scans=networks * each, networks=bits)
        await store.add(connection, day, {ScanKey(code_id, revoked): count})


async def test_an_ended_day_becomes_bands_and_an_unusual_one_is_listed(
    portal: PortalFixture,
) -> None:
    """Ten times the usual, from thirty networks on; the exact numbers are gone."""
    code, today = await portal.add_code(portal.firm), day_of(portal.clock())
    for back in range(9, 1, -1):
        await add_day(portal, today - timedelta(days=back), code.code_id, 12)
        await close_ended_days(portal.runtime)
    assert await rows(portal, "SELECT * FROM code_report_case") == []
    await add_day(portal, today - timedelta(days=1), code.code_id, 150)
    await add_day(portal, today, code.code_id, 150)
    assert await close_ended_days(portal.runtime) == 1
    assert await close_ended_days(portal.runtime) == 0
    [left] = await rows(portal, "SELECT day FROM code_scan_today")
    assert left["day"] == today, "not over"
    closed = await rows(portal, "SELECT * FROM code_scan_day ORDER BY day")
    assert [each["networks_band"] for each in closed] == [3] * 8 + [5]
    [case] = await rows(portal, "SELECT * FROM code_report_case")
    assert (case["code_key"], case["reports"]) == (code.code_id, 0)
    assert case["unusual"] == {
        "day": (today - timedelta(days=1)).isoformat(),
        "revoked": False,
        "scans_at_least": 100,
        "networks_at_least": 100,
        "usual_scans_at_least": 10,
        "usual_networks_at_least": 10,
    }


async def test_one_network_in_a_loop_is_not_unusual_and_hides_no_wave(
    portal: PortalFixture,
) -> None:
    """Nor do a few listed days become the usual: of two waves both are listed."""
    code, today = await portal.add_code(portal.firm), day_of(portal.clock())
    for back in range(20, 4, -1):
        await add_day(portal, today - timedelta(days=back), code.code_id, 3)
    for back in (4, 3):
        await add_day(portal, today - timedelta(days=back), code.code_id, 1, each=1_440)
    await close_ended_days(portal.runtime)
    assert await rows(portal, "SELECT * FROM code_report_case") == []
    for back in (2, 1):
        await add_day(portal, today - timedelta(days=back), code.code_id, 60)
        await close_ended_days(portal.runtime)
    unusual = await rows(portal, "SELECT day FROM code_scan_day WHERE unusual ORDER BY day")
    assert [each["day"] for each in unusual] == [
        today - timedelta(days=2),
        today - timedelta(days=1),
    ]


@pytest.mark.parametrize(("before", "networks"), [(0, 150), (8, 25), (3, 400)])
async def test_a_day_within_bounds_is_not_listed(
    portal: PortalFixture, before: int, networks: int
) -> None:
    """A new code has no usual yet; fewer than thirty networks are never unusual."""
    code, today = await portal.add_code(portal.firm), day_of(portal.clock())
    for back in range(before + 1, 1, -1):
        await add_day(portal, today - timedelta(days=back), code.code_id, 3)
    await close_ended_days(portal.runtime)
    await add_day(portal, today - timedelta(days=1), code.code_id, networks)
    await close_ended_days(portal.runtime)
    assert await rows(portal, "SELECT * FROM code_report_case") == []


async def test_a_worker_counts_a_bounded_number_of_codes(portal: PortalFixture) -> None:
    """Scans of further codes in the interval are left out; memory is bounded."""
    counter, now = counter_of(portal), portal.clock()
    for number in range(MAX_CODES + 10):
        counter.count(f"code-{number}", NETWORK, now=now)
    assert len(counter.take()[1]) == MAX_CODES


async def test_unknown_ids_are_limited_per_network_and_true_codes_never(
    portal: PortalFixture,
) -> None:
    """429 for more guesses, in HTML and JSON; another network and a true code are answered."""
    code = await portal.add_code(portal.firm)
    guesser = browser_at(portal, "203.0.113.5")
    for _ in range(UNKNOWN_PER_TEN_MINUTES):
        assert (await guesser.get(f"/E/{'A' * 26}")).status_code == 404
    for accept in ("text/html", "application/json"):
        answer = await guesser.get(f"/E/{'A' * 26}", headers={"Accept": accept})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
    nearby = await guesser.get("/E/nearby", params={"code": "A" * 26})
    assert nearby.status_code == 429, "no other page tells more"
    assert (await guesser.get("/E/nearby", params={"code": code.code_id})).status_code == 200
    assert (await guesser.get(f"/E/{code.code_id}")).status_code == 200
    other = browser_at(portal, "192.0.2.5")
    assert (await other.get(f"/E/{'A' * 26}")).status_code == 404
