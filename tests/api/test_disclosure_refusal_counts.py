"""Refused attempts stored as hourly counts, and refused requests of unknown names."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from gateway.background.refusal_count_writer import write_counts
from gateway.disclosure.refusal_counts import MAX_ENTERPRISES, RefusalCounter
from gateway.limits.quotas import Quotas
from tests.gateway_fixture import UNKNOWN, Caller, GatewayFixture, query_body, verification_body

pytestmark = pytest.mark.asyncio(loop_scope="session")
FEW = Quotas(per_minute=1)


async def _sums(gateway: GatewayFixture, caller: Caller) -> list[dict[str, Any]]:
    return await gateway.rows(
        """SELECT uscc, kind, reason, sum(times) AS times FROM turned_away
           WHERE client_id = :client GROUP BY 1, 2, 3 ORDER BY 1, 2""",
        client=caller.client_id,
    )


@pytest.mark.parametrize("kind", ["verification", "query"])
async def test_attempts_beyond_a_limit_are_written_in_sums(
    gateway: GatewayFixture, kind: str
) -> None:
    """By client, enterprise, kind and reason, without a row for each attempt."""
    bank, uscc = await gateway.client(quotas=FEW), gateway.uscc("clean")

    async def send() -> int:
        if kind == "query":
            return (await bank.send("/v1/queries", query_body(uscc))).status_code
        return (
            await bank.send("/v1/verifications", verification_body(uscc, "is_active.v1"))
        ).status_code

    await send()
    logged = len(await gateway.log_of(bank))
    assert [await send() for _ in range(5)] == [429] * 5
    assert len(await gateway.log_of(bank)) == logged
    await write_counts(gateway.runtime)
    told = {"uscc": uscc, "kind": kind, "reason": "rate_limited", "times": 5}
    assert await _sums(gateway, bank) == [told]
    assert [await send() for _ in range(2)] == [429] * 2
    await write_counts(gateway.runtime)
    assert await _sums(gateway, bank) == [told | {"times": 7}]


async def test_a_key_that_stood_for_another_request_is_written_in_sums(
    gateway: GatewayFixture,
) -> None:
    """Idempotency conflicts are not rate-limited, so they are counted instead of logged."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    key = {"Idempotency-Key": "one"}
    assert (await bank.verify(uscc, "is_active.v1", headers=key)).status_code == 200
    logged = len(await gateway.log_of(bank))
    for body in [
        verification_body(UNKNOWN, "is_active.v1"),
        verification_body(uscc, "not_abnormal.v1"),
    ] * 2:
        refused = await bank.send("/v1/verifications", body, headers=key)
        assert refused.json()["code"] == "idempotency_conflict"
    assert (await bank.send("/v1/queries", query_body(uscc), headers=key)).status_code == 409
    assert len(await gateway.log_of(bank)) == logged
    await write_counts(gateway.runtime)
    sums = await _sums(gateway, bank)
    assert {each["reason"] for each in sums} == {"idempotency_conflict"}
    assert {(each["uscc"], each["kind"], each["times"]) for each in sums} == {
        (UNKNOWN, "verification", 2), (uscc, "verification", 2), (uscc, "query", 1),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["verification", "query"])
async def test_a_conflict_that_the_limits_have_forgotten_is_a_row_of_the_log(
    gateway: GatewayFixture, kind: str
) -> None:
    """A conflict known from the stored answer only, after Redis lost its data, has its own row."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    await gateway.grant(bank, uscc)

    async def send(key: str, question: str, dataset: str) -> httpx2.Response:
        headers = {"Idempotency-Key": key}
        if kind == "query":
            return await bank.send("/v1/queries", query_body(uscc, dataset), headers=headers)
        return await bank.send(
            "/v1/verifications", verification_body(uscc, question), headers=headers
        )

    assert (await send("one", "is_active.v1", "penalty")).status_code == 200
    unpinned = "UPDATE idempotency SET key = 'two' WHERE client_id = :client"
    await gateway.rows(unpinned, client=bank.client_id)
    refused = await send("two", "not_abnormal.v1", "licence")
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_conflict")
    told, row = await gateway.log_of(bank)
    assert (told["outcome"], row["outcome"]) == ("told", "refused")
    assert (row["uscc"], row["kind"]) == (uscc, kind)
    assert (row["reason"], row["purpose"]) == ("idempotency_conflict", "loan_approval")


async def test_counts_that_cannot_be_written_are_kept(gateway: GatewayFixture) -> None:
    """Counts are written once after a database outage."""
    bank, uscc = await gateway.client(quotas=FEW), gateway.uscc("clean")
    for _ in range(4):
        await bank.send("/v1/verifications", verification_body(uscc, "is_active.v1"))
    rename = "ALTER TABLE {} RENAME TO {}"
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(text(rename.format("turned_away", "gone")))
    try:
        with pytest.raises(Exception, match="turned_away"):
            await write_counts(gateway.runtime)
    finally:
        async with gateway.runtime.engine.begin() as connection:
            await connection.execute(text(rename.format("gone", "turned_away")))
    await asyncio.gather(write_counts(gateway.runtime), write_counts(gateway.runtime))
    [row] = await _sums(gateway, bank)
    assert row["times"] == 3


@pytest.mark.parametrize(
    ("body", "reason", "purpose", "asked"),
    [
        (verification_body(UNKNOWN, "is_active.v1", purpose="gossip-1"), "unknown_purpose", "unknown",
         ["is_active.v1"]),
        (verification_body(UNKNOWN, "is_active.v1", "secret.v9"), "unknown_question", "loan_approval",
         ["is_active.v1"]),
        (query_body(UNKNOWN, "penalty", "private_life"), "unknown_dataset", "loan_approval",
         ["penalty"]),
        (query_body(UNKNOWN, "penalty", purpose="gossip-1"), "unknown_purpose", "unknown",
         ["penalty"]),
    ],
)  # fmt: skip
async def test_an_ask_for_what_does_not_exist_is_logged_without_its_words(
    gateway: GatewayFixture, body: dict[str, Any], reason: str, purpose: str, asked: list[str]
) -> None:
    """The enterprise sees the attempt; the unknown text is not stored."""
    bank = await gateway.client()
    path = "/v1/verifications" if "questions" in body else "/v1/queries"
    assert (await bank.send(path, body)).json()["code"] == reason
    [row] = await gateway.log_of(bank)
    assert (row["uscc"], row["outcome"], row["reason"]) == (UNKNOWN, "refused", reason)
    assert (row["purpose"], row["asked"]) == (purpose, asked)


async def test_beyond_the_limit_an_unknown_purpose_is_only_counted(gateway: GatewayFixture) -> None:
    """Limits come first, and limited calls write no rows."""
    bank = await gateway.client(quotas=FEW)
    body = verification_body(UNKNOWN, "is_active.v1", purpose="gossip")
    codes = [(await bank.send("/v1/verifications", body)).json()["code"] for _ in range(3)]
    assert codes == ["unknown_purpose", "rate_limited", "rate_limited"]
    assert len(await gateway.log_of(bank)) == 1
    await write_counts(gateway.runtime)
    [row] = await _sums(gateway, bank)
    assert (row["uscc"], row["times"]) == (UNKNOWN, 2)


async def test_a_flood_over_many_enterprises_leaves_few_rows(gateway: GatewayFixture) -> None:
    """Memory and table stay bounded for new codes in each call."""
    tally, now = RefusalCounter(), gateway.clock()
    for place in range(10_000):
        tally.count("flood", f"code-{place}", kind="query", reason="rate_limited", now=now)
    tally.count("other", "code-1", kind="query", reason="rate_limited", now=now)
    lines = tally.take()
    assert sum(lines.values()) == 10_001
    assert len(lines) == MAX_ENTERPRISES + 2
    assert not tally.take()


async def test_an_hour_of_its_own_begins_a_line_of_its_own(gateway: GatewayFixture) -> None:
    """The enterprise sees the hour."""
    tally, now = RefusalCounter(), gateway.clock()
    for hours in (0, 0, 1):
        at = now + timedelta(hours=hours)
        tally.count("bank", "code", kind="query", reason="rate_limited", now=at)
    assert sorted(tally.take().values()) == [1, 2]
