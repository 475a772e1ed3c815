"""How long an answer takes does not tell whom it is about (Welch's t over interleaved samples).

A statistical test on a shared machine: the slowest fifth of each group is left out, and only a
difference that is surely more than `MARGIN` of an answer counts. `FULL=1` takes many more samples.
"""

import asyncio
import math
import os
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2
import orjson
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.limits.guard import Quotas
from tests.house import UNKNOWN, Caller, House, asking

pytestmark = pytest.mark.asyncio(loop_scope="session")

FULL = bool(os.environ.get("FULL"))
ROUNDS = 3_000 if FULL else 120
KEPT = 0.8
MARGIN = 0.2  # of the median answer: reading a file takes longer than finding that there is none
SURE = 4.5  # standard errors: about one false alarm in 150,000 comparisons
QUOTAS = Quotas(
    per_minute=1_000_000,
    per_day=1_000_000,
    per_enterprise_per_minute=1_000_000,
    distinct_enterprises_per_day=1_000_000,
)
ASKED = (
    ("enterprise_name.v1", "甲公司"),
    ("rating_at_least.v1", "良好"),
    ("legal_representative_id.v1", "330106199001011234"),
    "is_active.v1",
    "no_live_penalty.v1",
)


@dataclass(frozen=True, slots=True)
class Slower:
    """The same application, but slower about one enterprise."""

    app: ASGIApp
    uscc: bytes
    seconds: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait where the marked enterprise is asked about."""
        if dict(scope["headers"]).get(b"x-request-id") == self.uscc:
            await asyncio.sleep(self.seconds)
        await self.app(scope, receive, send)


async def sampled(
    bank: Caller, http: httpx2.AsyncClient, groups: Mapping[str, str]
) -> dict[str, list[float]]:
    """Seconds of many answers about each enterprise, in an order that changes from round to round."""
    taken: dict[str, list[float]] = {name: [] for name in groups}
    chance = random.Random(20251122)  # noqa: S311  # an order, not a secret
    for _ in range(ROUNDS):
        for name in chance.sample(list(groups), len(groups)):
            body = orjson.dumps(asking(groups[name], *ASKED))
            headers = await bank.headers("POST", "/v1/verifications", body)
            headers["X-Request-Id"] = groups[name]
            begun = time.perf_counter()
            response = await http.post("/v1/verifications", content=body, headers=headers)
            taken[name].append(time.perf_counter() - begun)
            assert response.status_code == 200, response.text
    return {name: sorted(times)[: int(len(times) * KEPT)] for name, times in taken.items()}


def surely_apart(one: Sequence[float], other: Sequence[float]) -> float:
    """By how many standard errors the means differ beyond the margin (Welch)."""
    margin = MARGIN * statistics.median([*one, *other])
    error = math.sqrt(statistics.variance(one) / len(one) + statistics.variance(other) / len(other))
    return (abs(statistics.fmean(one) - statistics.fmean(other)) - margin) / error


async def test_known_unknown_and_closed_enterprises_take_equally_long(house: House) -> None:
    """One with a consent, one without, one that was never registered, one on a list."""
    bank = await house.client(quotas=QUOTAS)
    groups = {
        "open": house.uscc("clean"),
        "closed": house.uscc("repaired"),
        "listed": house.uscc("serious_violation"),
        "unknown": UNKNOWN,
    }
    questions = ["rating_at_least.v1", "legal_representative_id.v1"]
    await house.grant(bank, groups["open"], questions=questions, max_uses=None)
    taken = await sampled(bank, house.http, groups)
    apart = {name: surely_apart(times, taken["unknown"]) for name, times in taken.items()}
    medians = {name: f"{1000 * statistics.median(times):.3f} ms" for name, times in taken.items()}
    assert max(apart.values()) < SURE, (medians, apart)


async def test_a_leak_would_be_seen(house: House) -> None:
    """A control: where one enterprise takes longer on purpose, the same test says so."""
    bank = await house.client(quotas=QUOTAS)
    groups = {"slow": house.uscc("clean"), "unknown": UNKNOWN}
    begun = time.perf_counter()
    for _ in range(10):
        await bank.answers(UNKNOWN, "is_active.v1")
    answer = (time.perf_counter() - begun) / 10
    slower = Slower(house.app, groups["slow"].encode(), seconds=answer)
    transport = httpx2.ASGITransport(app=slower)
    async with httpx2.AsyncClient(transport=transport, base_url=house.issuer) as http:
        taken = await sampled(bank, http, groups)
    assert surely_apart(taken["slow"], taken["unknown"]) > SURE
