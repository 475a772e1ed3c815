"""A quota with two worker processes on one Redis: together they admit what GCRA admits."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Final

import httpx2
import pytest

from gateway.clients import registry
from gateway.limits.quotas import Quotas
from tests.oauth_builders import Bank, digest_of, some_terms
from tests.servers.two_workers import CROWD, Workers

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS: Final = 1_000
LIMIT: Final = 137
PATH: Final = "/v1/consents"


async def test_a_thousand_concurrent_calls_at_two_workers_are_admitted_up_to_the_limit(
    workers: Workers,
) -> None:
    """A day's quota, of which less than one unit is refilled meanwhile: exactly so many, and no more."""
    bank = await workers.bank()
    now = workers.servers[0].clock()
    quotas = Quotas(per_minute=100_000, per_day=LIMIT)
    terms = some_terms(now, quotas=quotas)
    async with workers.servers[0].runtime.engine.begin() as connection:
        await registry.put_agreement(connection, bank.client_id, terms)
    token = (await bank.token(scope="consents")).json()["access_token"]
    both = [replace(bank, oauth=server) for server in workers.servers]
    ready = [(both[turn % 2], await proof(bank, token)) for turn in range(CALLS)]
    places = asyncio.Semaphore(2 * CROWD)
    answers = await asyncio.gather(*(get(one, token, made, places) for one, made in ready))
    assert Counter(each.status_code for each in answers) == {200: LIMIT, 429: CALLS - LIMIT}
    refused = [each for each in answers if each.status_code == 429]
    assert {each.json()["code"] for each in refused} <= {"rate_limited", "quota_exhausted"}
    assert all('"client_day";r=0' in each.headers["RateLimit"] for each in refused)


async def proof(bank: Bank, token: str) -> str:
    return await bank.proof(PATH, htm="GET", ath=digest_of(token))


async def get(bank: Bank, token: str, made: str, places: asyncio.Semaphore) -> httpx2.Response:
    headers = {"Authorization": f"DPoP {token}", "DPoP": made}
    async with places:
        return await bank.oauth.http.get(PATH, headers=headers)
