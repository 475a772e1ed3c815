"""Floods of reports on codes: of one network, of many, and of texts that are no code."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.codes import network_limits
from gateway.codes.network_limits import REPORTS_PER_TEN_MINUTES
from gateway.codes.reports import serializers, store
from gateway.codes.reports.model import (
    STORED_PER_CODE_AND_DAY,
    UNKNOWN_PER_DAY,
    UNKNOWN_PER_NETWORK,
)
from tests.code_reports_builders import FORM, fields_for, held, report, rows
from tests.portal_fixture import PortalFixture, open_portal


@pytest_asyncio.fixture
async def portal(migrated_url: str, tmp_path: Path) -> AsyncIterator[PortalFixture]:
    """A running gateway behind a trusted proxy, without earlier reports."""
    async with open_portal(migrated_url, tmp_path, trusted_proxies="127.0.0.1") as made:
        await rows(made, "TRUNCATE code_report_case, code_report")
        yield made


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
