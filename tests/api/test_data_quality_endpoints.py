"""Data quality over HTTP: a source reads its own exact figures, operators what is published."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from gateway.access.counted_months import counted_months
from gateway.background.quality_counts import count_finished_months
from gateway.creditfile.working_days import working_days_after
from gateway.data_quality.comparison_findings import keep_counts
from gateway.data_quality.figures import Count, Fault
from gateway.data_quality.kept_figures import lock_month
from gateway.data_quality.month import Month
from gateway.db.unavailable import UnavailableError
from gateway.ingest.source_authorization import SCOPE
from tests.client_builders import make_operator
from tests.gateway_fixture import Caller, GatewayFixture
from tests.records_builders import deliver, make_department, make_penalty
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = "/v1/records/quality"
ALL = "/v1/admin/data-quality"


async def read(caller: Caller, path: str, scope: str = SCOPE, **headers: str) -> dict[str, Any]:
    answer = await caller.send(path, b"", method="GET", scope=scope, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def deliver_penalties(
    gateway: GatewayFixture, source: Caller, late: int, timely: int
) -> None:
    """Penalties of one enterprise each, received at the end of their term or the day after it."""
    today = gateway.clock().date()
    in_time = max(
        day
        for day in (today - timedelta(days=n) for n in range(40))
        if working_days_after(day, 7).day >= today
    )
    rows = [
        make_penalty(
            gateway,
            gateway.entities[-1 - place].uscc,  # without a trait that other tests look for
            decided_on=f"{in_time - timedelta(days=30 if place < late else 0)}",
            severity="一般",
        )
        for place in range(late + timely)
    ]
    outcomes = await deliver(source, "penalty", *rows)
    assert {each["outcome"] for each in outcomes} == {"created"}


def dataset(report: Mapping[str, Any], code: str = "penalty") -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in report["datasets"] if each["dataset"] == code)
    return found


async def published(gateway: GatewayFixture, scope: str, month: Month) -> dict[str, dict[str, Any]]:
    """A month's figures as an operator of this scope reads them, by source, from all pages."""
    reader = await make_operator(gateway, scope)
    sources: dict[str, dict[str, Any]] = {}
    after: str | None = ""
    while after is not None:
        page = await read(reader, f"{ALL}?month={month}&after={after}", scope)
        sources |= {each["source_id"]: each for each in page["sources"]}
        after = page["after"]
    return sources


async def test_a_source_reads_its_own_score_and_what_to_mend(gateway: GatewayFixture) -> None:
    source, other = await make_department(gateway), await make_department(gateway)
    await deliver_penalties(gateway, source, late=3, timely=9)
    report = await read(source, OWN)
    penalties = dataset(report)
    assert (penalties["received"], penalties["dated"]) == (12, 12)
    assert penalties["score"]["timely"] == 75.0
    faults = {(each["fault"], each["field"]): each for each in penalties["faults"]}
    assert faults["late", None]["records"] == 3
    assert faults["missing", "legal_basis"]["records"] == 12
    assert ("missing", "authority") not in faults
    assert report["score_before"] is None
    assert report["month"] == str(Month.at(gateway.clock()))
    assert not report["month_is_over"]
    assert (await read(other, OWN))["datasets"] == []


async def test_what_to_mend_is_said_in_the_language_asked_for(gateway: GatewayFixture) -> None:
    source = await make_department(gateway)
    await deliver_penalties(gateway, source, late=2, timely=0)
    zh = dataset(await read(source, OWN, **{"Accept-Language": "zh-CN"}))
    late = next(each for each in zh["faults"] if each["fault"] == "late")
    assert late["found"] == "2条行政处罚未在处罚决定日期后7个工作日内报送"
    assert late["mend"] == "请在7个工作日内报送，积压数据尽快补报。"


async def test_operators_read_what_is_published_and_no_small_count(gateway: GatewayFixture) -> None:
    source, small = await make_department(gateway), await make_department(gateway)
    await deliver_penalties(gateway, source, late=3, timely=9)
    await deliver_penalties(gateway, small, late=1, timely=2)
    month = Month.at(gateway.clock())
    with gateway.clock.later(days=32):
        for scope in ("admin", "audit"):
            sources = await published(gateway, scope, month)
            penalties = dataset(sources[source.client_id])
            late = next(each for each in penalties["faults"] if each["fault"] == "late")
            assert late["records"] is None
            assert penalties["score"]["timely"] == 100.0
            assert sources[small.client_id]["withheld"] == ["penalty"]
            assert sources[small.client_id]["score"]["total"] is None


async def test_operators_read_no_running_month(gateway: GatewayFixture) -> None:
    """Two readings of it would differ by single records, of which the second is a small count."""
    reader = await make_operator(gateway, "audit")
    running = Month.at(gateway.clock())
    answer = await reader.send(f"{ALL}?month={running}", b"", method="GET", scope="audit")
    assert answer.status_code == 404
    assert "over" in answer.text


async def test_a_month_that_has_not_begun_is_refused(gateway: GatewayFixture) -> None:
    source = await make_department(gateway)
    later = Month.at(gateway.clock()).next
    for month in (str(later), "2026-13", "november"):
        answer = await source.send(f"{OWN}?month={month}", b"", method="GET", scope=SCOPE)
        assert answer.status_code == 400, month


@pytest.mark.parametrize(("path", "scope"), [(OWN, "query"), (ALL, "query")])
async def test_a_bank_reads_none_of_it(gateway: GatewayFixture, path: str, scope: str) -> None:
    bank = await gateway.client()
    assert (await bank.send(path, b"", method="GET", scope=scope)).status_code == 403


async def test_a_source_reads_no_other_sources_figures(gateway: GatewayFixture) -> None:
    source = await make_department(gateway)
    assert (await source.send(ALL, b"", method="GET", scope=SCOPE)).status_code == 403


async def test_a_month_that_is_over_is_counted_once_and_before_anybody_asks(
    gateway: GatewayFixture,
) -> None:
    """With ten million enterprises counting takes minutes; a call reads what is kept."""
    source, month = await make_department(gateway), Month.at(gateway.clock())
    await deliver_penalties(gateway, source, late=3, timely=9)
    with gateway.clock.later(days=40):
        await count_finished_months(gateway.runtime)
        await gateway.rows(
            "UPDATE quality_figures SET figures = CAST(:none AS jsonb) WHERE source_id = :source",
            none="[]",
            source=source.client_id,
        )
        sources = await published(gateway, "audit", month)
        assert sources[source.client_id]["datasets"] == []
        assert (await read(source, f"{OWN}?month={month}"))["datasets"] == []


async def test_other_rules_or_findings_count_a_month_again(gateway: GatewayFixture) -> None:
    """What is kept is of the rules and the catalogue by which it was counted."""
    source, month = await make_department(gateway), Month.at(gateway.clock())
    await deliver_penalties(gateway, source, late=3, timely=9)
    with gateway.clock.later(days=40):
        first = await read(source, f"{OWN}?month={month}")
        await gateway.rows(
            "UPDATE quality_figures SET figures = '[]', versions = 'earlier' WHERE source_id = :source",
            source=source.client_id,
        )
        again = await read(source, f"{OWN}?month={month}")
        assert dataset(again)["received"] == 12
        assert again["counted_at"] >= first["counted_at"]
        absent = {Fault.ABSENT: Count(records=2, enterprises=2)}
        async with gateway.runtime.engine.begin() as connection:
            await keep_counts(connection, month, source.client_id, "penalty", absent)
        found = dataset(await read(source, f"{OWN}?month={month}"))["faults"]
        assert [each["records"] for each in found if each["fault"] == "absent"] == [2]


async def test_a_count_goes_on_when_its_caller_gives_up(gateway: GatewayFixture) -> None:
    """The call was answered 503 at its deadline; a later one finds the figures."""
    source, month = await make_department(gateway), Month.at(gateway.clock())
    await deliver_penalties(gateway, source, late=1, timely=2)
    async with gateway.runtime.engine.begin() as connection:
        await lock_month(connection, month, source.client_id)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(counted_months(gateway.runtime, source.client_id, month), 0.2)

    async def is_kept() -> bool:
        return bool(
            await gateway.rows(
                "SELECT 1 FROM quality_figures WHERE source_id = :source", source=source.client_id
            )
        )

    await eventually(is_kept)


async def test_counts_that_nobody_waits_for_hold_up_no_other_source(
    gateway: GatewayFixture,
) -> None:
    """Of one source few wait, the next is asked to come again; another source's are counted meanwhile."""
    busy, other = await make_department(gateway), await make_department(gateway)
    months = [Month(year=2024, month=number) for number in range(1, 5)]
    async with gateway.runtime.engine.begin() as connection:
        for month in months:  # as by another worker
            await lock_month(connection, month, busy.client_id)
        for month in months[:2]:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(counted_months(gateway.runtime, busy.client_id, month), 0.2)
        with pytest.raises(UnavailableError):
            await counted_months(gateway.runtime, busy.client_id, months[2])
        await counted_months(gateway.runtime, other.client_id, Month.at(gateway.clock()))
