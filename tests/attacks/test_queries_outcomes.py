"""Outcomes as an oracle and as a slander: by another client, by a guess, by what others are told."""

import asyncio

import pytest

from gateway.background.sequencing import sequencer_of
from tests.gateway_fixture import GatewayFixture, query_body, verification_body

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = {"outcome": "refused", "reasons": ["judgment_defaulter"]}


async def test_only_the_client_of_an_answered_query_can_tell_its_outcome(
    gateway: GatewayFixture,
) -> None:
    """Goal: find or mark another's query. Refused and unknown ones, and verifications, look the same."""
    bank, other = await gateway.client(), await gateway.client()
    uscc = gateway.uscc("penalised")
    await gateway.grant(bank, uscc)
    query = (await bank.send("/v1/queries", query_body(uscc))).json()["disclosure_id"]
    asked = await other.send("/v1/verifications", verification_body(uscc, "is_active.v1"))
    assert (await other.send("/v1/queries", query_body(uscc))).status_code == 403
    [refused] = [each for each in await gateway.log_of(other) if each["outcome"] == "refused"]
    await sequencer_of(gateway.runtime).round()
    ids = (
        query,
        "dsc_" + "a" * 26,
        "x",
        asked.json()["disclosure_id"],
        refused["disclosure_id"],
        f"{query}-o1",
    )
    seen = set()
    for each in ids:
        answer = await other.send(f"/v1/queries/{each}/outcome", REFUSED, method="PUT")
        seen.add((answer.status_code, answer.json()["code"], answer.json()["detail"]))
    assert len(seen) == 1
    assert {(status, code) for status, code, _ in seen} == {(404, "not_found")}
    assert not await gateway.rows("SELECT 1 FROM application_outcome WHERE uscc = :u", u=uscc)


async def test_an_outcome_is_told_to_no_client(gateway: GatewayFixture) -> None:
    """Goal: learn from a feed, an answer, a consent or the metrics that another bank has refused."""
    bank, other = await gateway.client(), await gateway.client()
    uscc = gateway.uscc("penalised")
    feeds = []
    for each in (bank, other):
        await gateway.grant(each, uscc)
        await sequencer_of(gateway.runtime).round()
        feeds.append((await each.send("/v1/changes", b"", method="GET", scope="changes")).json())
    before = await other.send("/v1/queries", query_body(uscc))
    query = (await bank.send("/v1/queries", query_body(uscc))).json()["disclosure_id"]
    told = await bank.send(f"/v1/queries/{query}/outcome", REFUSED, method="PUT")
    assert told.status_code == 200, told.text
    await sequencer_of(gateway.runtime).round()
    after = await other.send("/v1/queries", query_body(uscc))
    assert after.json()["records"] == before.json()["records"]
    for each, held in zip((bank, other), feeds, strict=True):
        path = f"/v1/changes?after={held['cursor']}"
        feed = await each.send(path, b"", method="GET", scope="changes")
        assert feed.json()["changes"] == []
        verified = await each.send("/v1/verifications", verification_body(uscc, "is_active.v1"))
        consents = await each.send("/v1/consents", b"", method="GET", scope="consents")
        for answer in (after, feed, verified, consents):
            assert "outcome" not in answer.text
            assert "judgment_defaulter" not in answer.text
    metrics = await gateway.http.get("/metrics")
    assert "judgment_defaulter" not in metrics.text


async def test_a_race_of_outcomes_leaves_two_versions_at_most(gateway: GatewayFixture) -> None:
    """Goal: write more than the first and its replacement."""
    bank = await gateway.client()
    uscc = gateway.uscc("clean")
    await gateway.grant(bank, uscc)
    query = (await bank.send("/v1/queries", query_body(uscc))).json()["disclosure_id"]
    bodies = [
        {"outcome": "refused", "reasons": [reason]}
        for reason in ("other", "live_penalty", "rating_too_low", "on_serious_list")
    ]
    path = f"/v1/queries/{query}/outcome"
    answers = await asyncio.gather(*(bank.send(path, each, method="PUT") for each in bodies))
    assert {each.status_code for each in answers} <= {200, 409, 503}
    rows = await gateway.rows(
        "SELECT version FROM application_outcome WHERE disclosure_id = :query", query=query
    )
    assert {each["version"] for each in rows} <= {1, 2}
    assert len(rows) == sum(each.status_code == 200 for each in answers)
