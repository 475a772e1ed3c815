"""Batches as a way around budgets, consents and other clients' secrets: each learns what calls would."""

import asyncio

import orjson
import pytest
from fastapi import Request
from starlette.types import Message

import consent
from gateway.access.errors import InvalidRequestError
from gateway.verifications.batch.line_source import LineSource
from tests.batch_builders import PATH, answered, batch_line, send_batch
from tests.gateway_fixture import UNKNOWN, GatewayFixture, verification_body

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "legal_representative_name.v1"
RATING = ("rating_at_least.v1", "良好")
WRONG = tuple(f"王{n}" for n in "一二三四五六七八九十")
REVIEW = "merchant_review"


async def test_guesses_split_over_batches_and_calls_learn_three_values(
    gateway: GatewayFixture,
) -> None:
    """Two batches and ten calls at once, about one enterprise: the true name is beyond the budget."""
    platform, of = await gateway.client("platform"), gateway.entity("clean").enterprise
    await platform.token()
    name = "enterprise_name.v1"
    lines = [batch_line(n, of.uscc, (name, guess)) for n, guess in enumerate(WRONG)]
    batches = asyncio.gather(answered(platform, lines[:5]), answered(platform, lines[5:]))
    calls = await asyncio.gather(
        *(platform.verify(of.uscc, (name, f"李{n}"), purpose=REVIEW) for n in range(10))
    )
    told = [answer for each in await batches for answer in each.answers]
    told += [[answer["answer"] for answer in each.json()["answers"]] for each in calls]
    assert told.count(["no"]) == 3
    assert told.count(["not_determined"]) == 17
    last = await answered(platform, [batch_line(1, of.uscc, (name, of.name))])
    assert last.answers == [["not_determined"]]


async def test_another_clients_batches_burn_nobodys_budget(gateway: GatewayFixture) -> None:
    """Nor do they show in its answers."""
    platform, other = await gateway.client("platform"), await gateway.client("platform")
    of = gateway.entity("clean").enterprise
    question = "enterprise_name.v1"
    await answered(
        other, [batch_line(n, of.uscc, (question, guess)) for n, guess in enumerate(WRONG)]
    )
    found = await answered(platform, [batch_line(1, of.uscc, (question, of.name))])
    assert found.answers == [["yes"]]


async def test_a_line_tells_nothing_of_its_neighbours(gateway: GatewayFixture) -> None:
    """Length and answer are those that it has among unknown enterprises."""
    bank = await gateway.client()
    uscc = gateway.uscc("clean")
    usccs = [each.enterprise.uscc for each in gateway.entities[1:9]]
    neighbours = {"known": usccs, "unknown": [UNKNOWN] * 8}
    seen = set()
    for codes in neighbours.values():
        lines = [
            batch_line(n, code, RATING, purpose="loan_approval")
            for n, code in enumerate([*codes[:4], uscc, *codes[4:]], 10)
        ]
        found = await answered(bank, lines)
        assert len({len(line) for line in found.lines}) == 1
        seen.add((len(found.lines[4]), str(found.answers[4])))
    assert len(seen) == 1


async def test_a_withdrawn_consent_is_not_answered_from_a_batch_before_it(
    gateway: GatewayFixture,
) -> None:
    """Taken up under its key, the line is answered anew: what was told once is not told again."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    granted = await gateway.grant(bank, uscc, questions=[RATING[0]], max_uses=None)
    lines = [batch_line(1, uscc, RATING, purpose="loan_approval")]
    first = await answered(bank, lines, key="k")
    assert first.answers in ([["yes"]], [["no"]])
    again = await answered(bank, lines, key="k")
    assert again.lines == first.lines
    await gateway.act(consent.withdraw, granted)
    after = await answered(bank, lines, key="k")
    assert after.answers == [["not_determined"]]
    assert after.documents[0]["disclosure_id"] != first.documents[0]["disclosure_id"]


async def test_a_batch_that_comes_drop_by_drop_is_given_up() -> None:
    """Each drop in time, and never the end: a few clients could hold every slot of a worker."""

    async def drop() -> Message:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b" ", "more_body": True}

    source = LineSource(Request({"type": "http", "headers": []}, drop), None, within=0)
    async with source.reading():
        with pytest.raises(InvalidRequestError, match="in time"):
            await source.wait()
    assert not source.is_cut


async def test_a_proof_is_good_for_one_batch(gateway: GatewayFixture) -> None:
    """Replayed, and taken to another path."""
    platform = await gateway.client("platform")
    lines = [batch_line(1, UNKNOWN, "is_active.v1")]
    headers = await platform.headers("POST", PATH)
    proof: dict[str, str | None] = {"DPoP": headers["DPoP"]}
    assert (await send_batch(platform, lines, headers=proof)).status_code == 200
    replayed = await send_batch(platform, lines, headers=proof)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "invalid_dpop_proof")
    single = await platform.headers("POST", "/v1/verifications")
    moved = await send_batch(platform, lines, headers={"DPoP": single["DPoP"]})
    assert (moved.status_code, moved.json()["code"]) == (401, "invalid_dpop_proof")


async def test_the_key_of_a_line_cannot_be_sent(gateway: GatewayFixture) -> None:
    """So nobody reads a batch's stored answers by calls, or takes the keys of lines to come."""
    platform, uscc = await gateway.client("platform"), gateway.uscc("clean")
    found = await answered(platform, [batch_line(1, uscc, "is_active.v1")], key="k")
    batch_id = found.last["manifest"]["batch_id"]
    keys = await gateway.rows(
        "SELECT key FROM idempotency WHERE client_id = :client", client=platform.client_id
    )
    assert [row["key"] for row in keys] == [f"·{batch_id}·1"]
    body = orjson.dumps(verification_body(uscc, "is_active.v1", purpose=REVIEW))
    headers = await platform.headers("POST", "/v1/verifications", body)
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    sent.append((b"Idempotency-Key", keys[0]["key"].encode()))
    refused = await gateway.http.post("/v1/verifications", content=body, headers=sent)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")


async def test_a_consent_bound_question_in_a_batch_spends_each_use_once(
    gateway: GatewayFixture,
) -> None:
    """Two uses, four lines: two answers."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    granted = await gateway.grant(bank, uscc, questions=[RATING[0]], max_uses=2)
    lines = [batch_line(n, uscc, RATING, purpose="loan_approval") for n in range(4)]
    found = await answered(bank, lines)
    assert [each == ["not_determined"] for each in found.answers] == [False, False, True, True]
    assert await gateway.uses(granted) == 2
