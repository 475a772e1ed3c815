"""Online state of a credit report, and the issuer's keys over the network, against the fake gateway."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import httpx2
import pytest

from tests.sdk_builders import result_of
from xinqiao import (
    AsyncClient,
    Client,
    CreditReport,
    ReportState,
    errors,
    fetch_keys,
    report_status,
    verify_report,
)
from xinqiao.testing import FakeGateway, FakeSetupError

USCC = "91330106MA2XXXXXX0"
LICENCE = {"dataset": "licence", "record_id": "rec_1", "fields": {"name": "食品经营许可证"}}


@pytest.fixture
def gateway() -> FakeGateway:
    """A gateway that knows one enterprise with a licence."""
    gateway = FakeGateway()
    gateway.add_enterprise(USCC, records=[LICENCE])
    return gateway


def a_report(gateway: FakeGateway, **options: Any) -> CreditReport:
    """A report that the enterprise has made, verified with the keys that the issuer publishes."""
    file = gateway.make_report(USCC, datasets=["licence", "penalty"], **options)
    keys = fetch_keys(gateway.issuer, transport=gateway)
    return verify_report(file, keys=keys, issuer=gateway.issuer)


def state(gateway: FakeGateway, report: CreditReport) -> str:
    """Its state, as its page says."""
    found = report_status(report, transport=gateway)
    assert found.holds is (found.state in {"valid", "newer_records"})
    assert found.state in get_args(ReportState)
    return found.state


def test_a_report_holds_until_it_is_taken_back(gateway: FakeGateway) -> None:
    """At once, and no longer than its term."""
    report = a_report(gateway, recipient="某银行", days=30)
    assert (report.recipient, report.nothing_found) == ("某银行", ("penalty",))
    assert state(gateway, report) == "valid"
    gateway.take_back_report(report.report_id)
    assert state(gateway, report) == "taken_back"
    another = a_report(gateway, days=1)
    gateway.advance(timedelta(days=1))
    assert state(gateway, another) == "expired"


def test_a_report_changes_with_its_records(gateway: FakeGateway) -> None:
    """A correction, a repair, and a record that is newer than it."""
    corrected, repaired = a_report(gateway), a_report(gateway)
    penalty = {"dataset": "penalty", "record_id": "rec_2", "fields": {}}
    gateway.add_enterprise(USCC, records=[LICENCE, penalty])
    assert state(gateway, repaired) == "newer_records"
    gateway.correct("rec_1", fields={"name": "餐饮服务许可证"})
    assert state(gateway, corrected) == "changed"
    gateway.repair("rec_1")
    assert state(gateway, repaired) == "changed"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_a_client_asks_its_own_gateway(
    gateway: FakeGateway, kind: type[Client | AsyncClient]
) -> None:
    """Without a token; a report of another gateway is refused before anything is sent."""
    report = a_report(gateway)
    client: Any = gateway.client() if kind is Client else gateway.async_client()
    found = await result_of(client.report_status(report))
    assert (found.state, found.report_id) == ("valid", report.report_id)
    assert "authorization" not in gateway.requests[-1].headers
    other = FakeGateway(issuer="https://other.test")
    other.add_enterprise(USCC)
    asked = len(gateway.requests)
    with pytest.raises(errors.ConfigurationError, match="another gateway"):
        await result_of(client.report_status(a_report(other)))
    assert len(gateway.requests) == asked


def answering(response: httpx2.Response) -> httpx2.MockTransport:
    """A transport on which everything is answered so."""
    return httpx2.MockTransport(lambda _: response)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx2.Response(404), errors.NotFound),
        (httpx2.Response(429, headers={"retry-after": "7"}), errors.LimitReached),
        (httpx2.Response(503), errors.TemporarilyUnavailable),
        (httpx2.Response(302, headers={"location": "https://evil.test"}), errors.ProtocolError),
        (httpx2.Response(200, content=b"<html>"), errors.ProtocolError),
        (httpx2.Response(200, json={"report_id": "OTHER"}), errors.ProtocolError),
    ],
)
def test_what_is_no_state_of_this_report_is_an_error(
    gateway: FakeGateway, response: httpx2.Response, kind: type[errors.XinqiaoError]
) -> None:
    """Never taken for a state."""
    report = a_report(gateway)
    with pytest.raises(kind) as caught:
        report_status(report, transport=answering(response))
    assert caught.value.retry_after == (7 if response.status_code == 429 else None)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx2.Response(500), errors.ServerUnavailable),
        (httpx2.Response(200, json=[]), errors.ProtocolError),
        (
            httpx2.Response(200, json={"keys": [{"kty": "OKP", "crv": "Ed25519"}]}),
            errors.ProtocolError,
        ),
    ],
)
def test_what_is_no_key_set_is_an_error(
    response: httpx2.Response, kind: type[errors.XinqiaoError]
) -> None:
    """Also where something else answers at the address."""
    with pytest.raises(kind):
        fetch_keys("https://gateway.test", transport=answering(response))
    with pytest.raises(errors.ConfigurationError):
        fetch_keys("http://gateway.test")


def test_a_test_makes_only_reports_that_the_gateway_could_make(gateway: FakeGateway) -> None:
    """Known datasets and enterprises, at most 90 days, reports that were made."""
    mistakes: list[dict[str, Any]] = [
        {"datasets": []},
        {"datasets": ["licences"]},
        {"datasets": ["licence"], "days": 91},
    ]
    for each in mistakes:
        with pytest.raises(FakeSetupError):
            gateway.make_report(USCC, **each)
    with pytest.raises(FakeSetupError):
        gateway.take_back_report("NONE")
