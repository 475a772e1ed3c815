"""Anomalies of a client's calls: flagged, throttled, lifted by an operator, alerted by webhook."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from prometheus_client import generate_latest
from typer.testing import CliRunner

from gateway.anomalies.alert import AlertHook
from gateway.background.anomaly_watch import send_due_alert, throttle, throttle_end
from gateway.cli.main import app
from gateway.limits.quotas import Quotas
from gateway.runtime import Runtime
from tests import watch_builders
from tests.anomaly_checks import flagged_of
from tests.anomaly_traffic import code_at
from tests.gateway_fixture import Caller, GatewayFixture
from tests.servers.alert_server import AlertServer, make_alert_server
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


async def sweep(bank: Caller, first: int, count: int = 110) -> list[str]:
    """Ask about consecutive codes; the codes."""
    codes = [code_at(number) for number in range(first, first + count)]
    for code in codes:
        assert (await bank.verify(code, "is_active.v1")).status_code == 200
    return codes


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def sweeper(gateway: GatewayFixture) -> AsyncIterator[Caller]:
    """A client that was flagged for sequential codes."""
    bank = await gateway.client(quotas=Quotas())
    await sweep(bank, 40_000)
    assert set(await flagged_of(bank)) == {"sequential_codes"}
    yield bank
    gateway.runtime.agreements.throttle(frozenset(), percent=100)


async def run(gateway: GatewayFixture, *arguments: str) -> str:
    """Output of an operator's command."""
    environment = {
        "XINQIAO_OPERATOR": "fang",
        "XINQIAO_DATABASE_URL": gateway.settings.database_url.replace("+asyncpg", ""),
    }
    done = await asyncio.to_thread(
        CliRunner().invoke, app, ["anomalies", *arguments], env=environment
    )
    return done.stdout if done.exit_code == 0 else done.stderr


async def test_ordinary_calls_are_counted_and_not_flagged(gateway: GatewayFixture) -> None:
    """Every call counts once, told or refused, about known enterprises and unknown ones."""
    bank = await gateway.client()
    codes = [each.enterprise.uscc for each in gateway.entities[:30] if each.enterprise.code_ok]
    for code in codes:
        await bank.answers(code, ("enterprise_name.v1", "甲公司"), "is_active.v1")
    await bank.query(codes[0], "penalty")
    assert await flagged_of(bank) == {}
    (row,) = await gateway.rows(
        "SELECT calls, yes, no FROM client_activity WHERE client_id = :client",
        client=bank.client_id,
    )
    assert row == {"calls": len(codes) + 1, "yes": 0, "no": len(codes)}


async def test_codes_on_a_watch_list_count_like_calls(gateway: GatewayFixture) -> None:
    """A range on a list alone, or half on a list and half asked singly; once, however often put."""
    for listed in (110, 55):
        bank = await gateway.client(quotas=Quotas())
        codes = [code_at(60_000 + number) for number in range(110)]
        for _ in range(2):
            put = await watch_builders.put(bank, codes[:listed])
            assert put.status_code == 200, put.text
        for code in codes[listed:]:
            await bank.verify(code, "is_active.v1")

        async def is_flagged(bank: Caller = bank) -> bool:
            return set(await flagged_of(bank)) == {"sequential_codes"}

        await eventually(is_flagged)
        counts = (await flagged_of(bank))["sequential_codes"]["counts"]
        assert 100 <= counts["enterprises"] <= 120


async def test_a_flagged_client_is_named_and_no_enterprise(
    gateway: GatewayFixture, sweeper: Caller, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the table, the metrics and the log."""
    codes = await sweep(sweeper, 41_000, 20)
    found = (await flagged_of(sweeper))["sequential_codes"]
    assert found["counts"]["enterprises"] > 2 * found["counts"]["cells"]
    rows = await gateway.rows("SELECT a::text FROM anomaly AS a")
    rows += await gateway.rows("SELECT a::text FROM client_activity AS a")
    told = f"{rows} {generate_latest().decode()} {capfd.readouterr()}"
    assert not [code for code in codes if code in told]
    metrics = (await gateway.http.get("/metrics")).text
    assert 'xinqiao_anomalies_total{kind="sequential_codes"}' in metrics
    assert 'xinqiao_anomalies_total{kind="division_sweep"}' in metrics
    assert sweeper.client_id not in metrics


async def test_an_anomaly_lowers_its_own_clients_rate_alone(
    gateway: GatewayFixture, sweeper: Caller
) -> None:
    """To a quarter, shown in its limits; quotas of a day stay."""
    other = await gateway.client(quotas=Quotas())
    before = (await other.verify(gateway.uscc("clean"), "is_active.v1")).headers
    await throttle(gateway.runtime)
    lowered = (await sweeper.verify(gateway.uscc("clean"), "is_active.v1")).headers
    after = (await other.verify(gateway.uscc("clean"), "is_active.v1")).headers
    assert after["RateLimit-Policy"] == before["RateLimit-Policy"]
    agreed = Quotas()
    assert f'"client";q={agreed.per_minute};' in after["RateLimit-Policy"]
    assert f'"client";q={agreed.per_minute // 4};' in lowered["RateLimit-Policy"]
    assert f'"client_day";q={agreed.per_day};' in lowered["RateLimit-Policy"]


async def test_the_throttle_ends_with_the_day_in_beijing(
    gateway: GatewayFixture, sweeper: Caller
) -> None:
    """Without an operator."""
    (row,) = (await flagged_of(sweeper)).values()
    assert (row["throttled_until"] + timedelta(hours=8)).time().isoformat() == "00:00:00"
    with gateway.clock.later(days=1):
        await throttle(gateway.runtime)
        quotas = await gateway.runtime.agreements.quotas_of(sweeper.client_id, 1)
    assert quotas == Quotas()


async def test_where_anomalies_are_flagged_only_nothing_is_lowered(gateway: GatewayFixture) -> None:
    """With XINQIAO_ANOMALY_RATE=100."""
    settings = gateway.settings.model_copy(update={"anomaly_rate": 100})
    day = ("client", gateway.clock().date())
    assert throttle_end(gateway.runtime, day) is not None
    assert throttle_end(replace(gateway.runtime, settings=settings), day) is None


async def test_an_operator_lists_and_lifts(gateway: GatewayFixture, sweeper: Caller) -> None:
    """An audited act; the same anomaly does not throttle again, and a second lift has nothing to do."""
    shown = await run(gateway, "list", "--client", sweeper.client_id)
    assert "kind: sequential_codes" in shown
    assert "throttles: True" in shown
    assert "1 lifted" in await run(gateway, "lift", sweeper.client_id)
    assert "Nothing throttles this client now" in await run(gateway, "lift", sweeper.client_id)
    await sweep(sweeper, 42_000, 20)
    (row,) = (await flagged_of(sweeper)).values()
    assert row["lifted_by"] == "shell:fang"
    await throttle(gateway.runtime)
    assert await gateway.runtime.agreements.quotas_of(sweeper.client_id, 1) == Quotas()
    acts = await gateway.rows(
        "SELECT what, subject FROM operator_act WHERE client_id = :client", client=sweeper.client_id
    )
    assert acts == [{"what": "anomaly.lift", "subject": row["anomaly_id"]}]
    assert "throttles: False" in await run(gateway, "list", "--client", sweeper.client_id)


async def test_a_client_that_is_not_there_is_named_as_such(gateway: GatewayFixture) -> None:
    """A mistyped id is neither a client without anomalies nor one that nothing throttles."""
    for verb in (("list", "--client", "no-such-client"), ("lift", "no-such-client")):
        assert "There is no such client." in await run(gateway, *verb)


@pytest.fixture
def alerts() -> Iterator[AlertServer]:
    """A server that takes alerts."""
    with make_alert_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def alerting(
    gateway: GatewayFixture, sweeper: Caller, alerts: AlertServer
) -> AsyncIterator[Runtime]:
    """A runtime with a webhook, and one alert that is due."""
    await gateway.rows(
        "UPDATE anomaly SET alert_failures = 0, alert_due_at ="
        " CASE WHEN client_id = :client THEN CAST(:now AS timestamptz) END",
        client=sweeper.client_id,
        now=gateway.clock(),
    )
    hook = AlertHook.parse(alerts.url, SECRET, loopback=True)
    yield replace(gateway.runtime, alert_hook=hook, now=gateway.clock)
    await gateway.rows("UPDATE anomaly SET alert_due_at = NULL")


async def test_an_alert_is_signed_and_sent_once(
    alerting: Runtime, alerts: AlertServer, sweeper: Caller
) -> None:
    """Client, kind, day and counts; no code."""
    assert await send_due_alert(alerting)
    assert not await send_due_alert(alerting)
    (alert,) = alerts.taken
    told = json.loads(alert.body)
    assert told["type"] == "anomaly.flagged"
    assert told["data"].keys() == {
        "anomaly_id", "client_id", "kind", "day", "counts", "throttled_until",
    }  # fmt: skip
    assert told["data"]["client_id"] == sweeper.client_id
    assert told["data"]["kind"] == "sequential_codes"
    assert b"91330106" not in alert.body
    signed = f"{alert.headers['webhook-id']}.{alert.headers['webhook-timestamp']}.".encode()
    expected = hmac.digest(b"k" * 32, signed + alert.body, hashlib.sha256)
    assert alert.headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    assert alert.headers["webhook-id"] == told["data"]["anomaly_id"]


@pytest.mark.parametrize("status", [302, 307, 500, 429])
async def test_an_alert_that_is_not_accepted_is_sent_again(
    gateway: GatewayFixture, alerting: Runtime, alerts: AlertServer, status: int
) -> None:
    """With growing pauses and one id; a redirect is not followed."""
    alerts.statuses = [status, status, 200]
    assert await send_due_alert(alerting)
    assert not await send_due_alert(alerting)  # not at once
    with gateway.clock.later(minutes=1, seconds=1):
        assert await send_due_alert(alerting)
    with gateway.clock.later(minutes=2):
        assert not await send_due_alert(alerting)
    with gateway.clock.later(minutes=4):
        assert await send_due_alert(alerting)
        assert not await send_due_alert(alerting)
    assert [each.path for each in alerts.taken] == ["/alerts"] * 3
    assert len({each.headers["webhook-id"] for each in alerts.taken}) == 1


async def test_without_a_webhook_no_alert_is_due(gateway: GatewayFixture, sweeper: Caller) -> None:
    """None waits for the day on which one is set."""
    (row,) = (await flagged_of(sweeper)).values()
    assert row["alert_due_at"] is None
    assert not await send_due_alert(gateway.runtime)
