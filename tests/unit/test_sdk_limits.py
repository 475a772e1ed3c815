"""SDK: limits of a client, and the fake gateway's answer of them."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.test_sdk_fake_rules import Clock
from xinqiao import Limits, RetryPolicy, errors
from xinqiao.testing import FakeAgreement, FakeGateway

TWO = FakeAgreement(per_minute=2)
ONCE = RetryPolicy(retries=0)


def test_what_is_left_falls_with_each_call_and_looking_takes_nothing() -> None:
    """Two calls a minute: one more fits after 30 seconds, all after 60."""
    clock = Clock()
    with FakeGateway(clock=clock, agreement=TWO).client(retry=ONCE) as bank:
        (limit,) = bank.limits()
        assert (limit.name, limit.quota, limit.window) == ("client", 2, 60)
        assert (limit.remaining, limit.refill, limit.reset) == (2, 0, 0)
        bank.consents()
        bank.consents()
        for _ in range(3):
            (limit,) = found = bank.limits()
            assert (limit.remaining, limit.refill, limit.reset) == (0, 30, 60)
            assert found.last_refusal is None
        clock.now += 30
        assert bank.limits().limits[0].remaining == 1


def test_the_last_refusal_says_when_it_fits_again() -> None:
    """Then it does."""
    clock = Clock()
    with FakeGateway(clock=clock, agreement=TWO).client(retry=ONCE) as bank:
        bank.consents()
        bank.consents()
        with pytest.raises(errors.RateLimited):
            bank.consents()
        refusal = bank.limits().last_refusal
        assert refusal is not None
        assert refusal.limit == "client"
        assert (refusal.fits_at - refusal.refused_at).total_seconds() == 30
        clock.now = refusal.fits_at.timestamp()
        bank.consents()


def test_without_limits_there_are_none() -> None:
    """The fake's default."""
    with FakeGateway().client() as bank:
        found = bank.limits()
    assert (len(found), found.last_refusal) == (0, None)


def test_the_asynchronous_client_reads_them_too() -> None:
    """And they become JSON."""

    async def read() -> Limits:
        async with FakeGateway(agreement=TWO).async_client() as bank:
            return await bank.limits()

    found = asyncio.run(read())
    assert found.to_dict()["limits"][0]["remaining"] == 2
