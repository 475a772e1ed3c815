"""`GET /v1/limits`: a client sees what is left of each of its limits, and which refused it last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from gateway.limits.memory_store import MemoryStore
from gateway.limits.model import LimitsQuery, LimitsReading
from gateway.limits.quotas import LIMITS_PER_MINUTE, Quotas
from gateway.limits.store_protocol import LimiterUnavailableError
from tests.gateway_fixture import Caller, GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/v1/limits"
SUSPEND = text("UPDATE client SET state = 'suspended' WHERE client_id = :client_id")
SCOPES = ("verify", "query", "consents", "changes")


async def limits(client: Caller, *, scope: str = "verify") -> dict[str, Any]:
    """The answer, each limit under its name."""
    answer = await client.send(PATH, b"", method="GET", scope=scope)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    found["by_name"] = {each["limit"]: each for each in found["limits"]}
    return found


async def test_calls_are_taken_from_what_is_left_and_looking_takes_nothing(
    gateway: GatewayFixture,
) -> None:
    """Two verifications about one enterprise, then two looks."""
    bank = await gateway.client(quotas=Quotas(per_minute=100, per_day=1_000))
    for _ in range(2):
        await bank.answers(gateway.uscc("clean"), "is_active.v1")
    for _ in range(2):
        found = (await limits(bank))["by_name"]
        day, people = found["client_day"], found["distinct_enterprises"]
        assert (day["quota"], day["window_seconds"], day["remaining"]) == (1_000, 86_400, 998)
        assert 0 < day["refill_seconds"] <= 87
        assert 87 < day["reset_seconds"] <= 173
        assert (people["quota"], people["remaining"]) == (20_000, 19_999)
        assert found["client"]["remaining"] >= 98
        assert found["enterprise"] == {
            "limit": "enterprise", "per": "enterprise", "quota": 60, "window_seconds": 60,
        }  # fmt: skip
    looks = found["limits"]
    assert (looks["quota"], looks["remaining"]) == (LIMITS_PER_MINUTE, LIMITS_PER_MINUTE - 2)


async def test_each_oauth_endpoint_has_its_own_count(gateway: GatewayFixture) -> None:
    """In one order, and only the token endpoint was called."""
    bank = await gateway.client(quotas=Quotas(per_minute=100))
    found = (await limits(bank))["limits"]
    of_oauth = [each for each in found if each["limit"] == "oauth"]
    assert [each["endpoint"] for each in of_oauth] == ["token", "par", "introspect", "revoke"]
    assert {each["per"] for each in of_oauth} == {"endpoint"}
    assert [each["remaining"] for each in of_oauth[1:]] == [100] * 3


async def test_the_last_refusal_is_told_until_when_it_fits(gateway: GatewayFixture) -> None:
    """By its limit; before any, the member is absent."""
    bank = await gateway.client(quotas=Quotas(per_day=1))
    assert "last_refusal" not in await limits(bank)
    await bank.answers(gateway.uscc("clean"), "is_active.v1")
    refused = await bank.verify(gateway.uscc("clean"), "is_active.v1")
    assert refused.status_code == 429
    found = await limits(bank)
    last = found["last_refusal"]
    assert last["limit"] == "client_day"
    assert found["by_name"]["client_day"]["remaining"] == 0
    assert last["refused_at"] <= found["as_of"] < last["fits_at"]


async def test_a_client_at_its_limit_can_still_look(gateway: GatewayFixture) -> None:
    """Until it looks too often."""
    bank = await gateway.client(quotas=Quotas(per_day=1))
    await bank.answers(gateway.uscc("clean"), "is_active.v1")
    for _ in range(3):
        assert (await limits(bank))["by_name"]["client"]["quota"] == 600
    answers = [await bank.send(PATH, b"", method="GET") for _ in range(LIMITS_PER_MINUTE + 2)]
    assert answers[-1].status_code == 429
    assert '"limits";r=0' in answers[-1].headers["RateLimit"]


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_token_of_any_scope_will_do(gateway: GatewayFixture, scope: str) -> None:
    """Each scope by itself."""
    bank = await gateway.client()
    assert (await limits(bank, scope=scope))["by_name"]["client"]["per"] == "client"


async def test_no_figure_is_another_clients(gateway: GatewayFixture) -> None:
    """What another client asks, and is refused, changes nothing."""
    bank, other = await gateway.client(), await gateway.client(quotas=Quotas(per_day=1))
    before = await limits(bank)
    for _ in range(3):
        await other.verify(gateway.uscc("clean"), "is_active.v1")
    after = await limits(bank)
    assert "last_refusal" not in after
    for name in ("client", "client_day", "distinct_enterprises"):
        assert after["by_name"][name]["remaining"] == before["by_name"][name]["remaining"]


async def test_a_suspended_client_is_told_nothing(gateway: GatewayFixture) -> None:
    """As elsewhere."""
    bank = await gateway.client()
    await limits(bank)
    async with gateway.runtime.engine.begin() as connection:
        await connection.execute(SUSPEND, {"client_id": bank.client_id})
    answer = await bank.send(PATH, b"", method="GET", scope="verify")
    assert (answer.status_code, answer.json()["code"]) == (403, "client_suspended")


class UnreadableStore(MemoryStore):
    """A store that is lost between admission and reading."""

    async def read(self, query: LimitsQuery) -> LimitsReading:  # noqa: ARG002  # as the store's
        """Raise as an unreachable store does."""
        raise LimiterUnavailableError


async def test_limits_that_cannot_be_read_are_unavailable(gateway: GatewayFixture) -> None:
    """503, and no figures made up."""
    bank = await gateway.client()
    runtime = gateway.app.state.runtime
    lost = UnreadableStore(gateway.clock)
    lost._generation = await runtime.limiter.generation()
    gateway.app.state.runtime = replace(runtime, limiter=lost)
    try:
        answer = await bank.send(PATH, b"", method="GET", scope="verify")
    finally:
        gateway.app.state.runtime = runtime
    assert answer.status_code == 503
    assert answer.json()["code"] == "temporarily_unavailable"
    assert int(answer.headers["retry-after"]) >= 1
