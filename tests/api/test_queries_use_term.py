"""Terms of use and retention of each record in an answer to a query."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.synthetic.demo.clients import DEMO_CLIENTS, terms_of
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


def moment(told: str) -> datetime:
    """A time of the wire, which is Shanghai's."""
    found = datetime.fromisoformat(told)
    assert found.utcoffset() == timedelta(hours=8)
    return found


async def test_each_record_says_how_long_it_may_be_used_and_kept(gateway: GatewayFixture) -> None:
    """Until its own end or the consent's, and the agreement's retention longer."""
    bank, of = await gateway.client(retention_days=7), gateway.entity("expires_today")
    await gateway.grant(bank, of.uscc, datasets=["registration", "penalty"], days=100)
    body = (await bank.query(of.uscc, "registration", "penalty")).json()
    ends = {each["dataset"]: moment(each["use_until"]) for each in body["records"]}
    midnight = moment(body["as_of"]).replace(hour=0, minute=0, second=0) + timedelta(days=1)
    assert ends["penalty"] == midnight
    assert ends["registration"] == moment(body["consent"]["valid_until"])
    for each in body["records"]:
        assert moment(each["delete_by"]) == moment(each["use_until"]) + timedelta(days=7)


async def test_without_retention_a_record_is_deleted_when_its_use_ends(
    gateway: GatewayFixture,
) -> None:
    """The default of an agreement."""
    platform, uscc = await gateway.client("platform"), gateway.uscc("clean")
    await gateway.grant(platform, uscc, purpose="merchant_review", datasets=["registration"])
    answer = await platform.query(uscc, "registration", purpose="merchant_review")
    for each in answer.json()["records"]:
        assert each["use_until"] == each["delete_by"]


async def test_a_severity_that_is_not_in_the_consent_does_not_show_in_the_term(
    gateway: GatewayFixture,
) -> None:
    """The same penalty, serious or not, has one term for who is not told which."""
    bank, uscc = await gateway.client(), gateway.uscc("penalised")
    named = ["penalty.document_number", "penalty.fine"]
    terms = set()
    severities = await gateway.rows(
        "SELECT record_id, severity FROM record WHERE uscc = :uscc AND dataset = 'penalty'",
        uscc=uscc,
    )
    change = "UPDATE record SET severity = :to WHERE record_id = :id AND uscc = :uscc RETURNING 1"
    for severity in ("一般", "严重"):
        for each in severities:
            await gateway.rows(change, to=severity, id=each["record_id"], uscc=uscc)
        await gateway.grant(bank, uscc, datasets=["penalty"], named=named, days=720)
        records = (await bank.query(uscc, "penalty")).json()["records"]
        assert records
        assert all("severity" not in each["fields"] for each in records)
        terms.add(tuple(sorted((each["record_id"], each["use_until"]) for each in records)))
    for each in severities:
        await gateway.rows(change, to=each["severity"], id=each["record_id"], uscc=uscc)
    assert len(terms) == 1


async def test_a_repeated_query_tells_no_term_of_use_that_has_changed(
    gateway: GatewayFixture,
) -> None:
    """A shorter retention was agreed on since: the old bytes would allow more."""
    bank, uscc = await gateway.client(retention_days=30), gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    key: dict[str, str | None] = {"Idempotency-Key": "before-the-change"}
    assert (await bank.query(uscc, headers=key)).status_code == 200
    await gateway.agree(bank, terms_of(DEMO_CLIENTS[0], gateway.clock()))
    assert (await bank.query(uscc, headers=key)).status_code == 200
    shorter = replace(terms_of(DEMO_CLIENTS[0], gateway.clock()), retention_days=10)
    await gateway.agree(bank, shorter)
    refused = await bank.query(uscc, headers=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")
