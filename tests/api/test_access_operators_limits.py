"""Limits of the operator's settings: of the whole gateway, and of one client at one operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from gateway.app import create_app
from gateway.settings import SettingsError
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")

HUGE = 1_000_000


@asynccontextmanager
async def limited(gateway: GatewayFixture, **settings: Any) -> AsyncIterator[None]:
    """The gateway with these settings."""
    before = gateway.app.state.runtime
    changed = before.settings.model_copy(update=settings)
    gateway.app.state.runtime = replace(before, settings=changed)
    try:
        yield
    finally:
        gateway.app.state.runtime = before


async def test_a_limit_of_an_operation_is_each_clients_own(gateway: GatewayFixture) -> None:
    """Named in the headers, in the refusal and among the limits; other operations go on."""
    bank, other = await gateway.client(), await gateway.client()
    uscc = gateway.uscc("clean")
    async with limited(gateway, endpoint_limits={"verify": 2}):
        answers = [await bank.verify(uscc, "is_active.v1") for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert '"endpoint_verify";q=2;w=60' in answers[0].headers["RateLimit-Policy"]
        assert answers[2].json()["code"] == "rate_limited"
        assert (await other.verify(uscc, "is_active.v1")).status_code == 200
        listed = await bank.send("/v1/limits", b"", method="GET", scope="verify")
        assert listed.status_code == 200
    (limit,) = [each for each in listed.json()["limits"] if each["limit"] == "endpoint_verify"]
    assert (limit["per"], limit["endpoint"], limit["quota"]) == ("endpoint", "verify", 2)
    assert limit["remaining"] == 0
    assert listed.json()["last_refusal"]["limit"] == "endpoint_verify"


async def test_a_gateway_at_its_limit_is_unavailable_and_says_nothing_of_others(
    gateway: GatewayFixture,
) -> None:
    """503 with Retry-After; no header and no figure tells how much others call."""
    bank, uscc = await gateway.client(), gateway.uscc("clean")
    async with limited(gateway, calls_per_second=HUGE):
        plain = await bank.verify(uscc, "is_active.v1")
        listed = await bank.send("/v1/limits", b"", method="GET", scope="verify")
    async with limited(gateway, calls_per_second=1):
        crowd = [await gateway.client() for _ in range(3)]
        answers: list[httpx2.Response] = []
        while 503 not in [each.status_code for each in answers]:
            calls = (each.verify(uscc, "is_active.v1") for each in crowd)
            answers += await asyncio.gather(*calls)
    refused = next(each for each in answers if each.status_code == 503)
    assert refused.json()["code"] == "temporarily_unavailable"
    assert int(refused.headers["retry-after"]) >= 1
    for each in (plain, refused):
        assert "gateway" not in each.headers["RateLimit-Policy"] + each.headers["RateLimit"]
    assert "gateway" not in {each["limit"] for each in listed.json()["limits"]}
    assert "last_refusal" not in listed.json()


async def test_a_client_over_its_own_limit_takes_nothing_from_the_others(
    gateway: GatewayFixture,
) -> None:
    """Its refused calls are not counted for the whole gateway."""
    greedy, uscc = await gateway.client(), gateway.uscc("clean")
    async with limited(gateway, calls_per_second=HUGE, endpoint_limits={"verify": 1}):
        seen = [(await greedy.verify(uscc, "is_active.v1")).status_code for _ in range(5)]
    assert seen == [200, 429, 429, 429, 429]


async def test_a_limit_of_an_unknown_operation_stops_the_start(gateway: GatewayFixture) -> None:
    """It would limit nothing, and nobody would notice."""
    wrong = gateway.settings.model_copy(update={"endpoint_limits": {"verifi": 1}})
    with pytest.raises(SettingsError, match="XINQIAO_ENDPOINT_LIMITS names verifi"):
        create_app(wrong)
