"""The gateway on a Redis cluster of three nodes: tokens, calls, batches, limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from gateway.limits.quotas import Quotas
from tests.batch_builders import answered, batch_line
from tests.gateway_fixture import GatewayFixture
from tests.servers.redis_server import RedisServer, patient_store, redis_cluster

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT = 20


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[RedisServer]]:
    """Three primaries."""
    with redis_cluster() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def clustered(
    gateway: GatewayFixture, nodes: list[RedisServer]
) -> AsyncIterator[GatewayFixture]:
    """The gateway with its limits in the cluster."""
    before = gateway.app.state.runtime
    store = patient_store(nodes[0].url)
    gateway.app.state.runtime = replace(before, limiter=store)
    try:
        yield gateway
    finally:
        gateway.app.state.runtime = before
        await store.close()


async def test_clients_on_every_node_are_limited_each_by_itself(clustered: GatewayFixture) -> None:
    """Concurrent calls of several clients, whose keys are on different nodes."""
    banks = [await clustered.client(quotas=Quotas(per_day=LIMIT)) for _ in range(6)]
    uscc = clustered.uscc("clean")
    calls = (bank.verify(uscc, "is_active.v1") for bank in banks for _ in range(2 * LIMIT))
    answers = await asyncio.gather(*calls)
    assert Counter(each.status_code for each in answers) == {
        200: LIMIT * len(banks),
        429: LIMIT * len(banks),
    }
    for bank in banks:
        told = await bank.send("/v1/limits", b"", method="GET", scope="verify")
        by_name = {each["limit"]: each for each in told.json()["limits"]}
        assert by_name["client_day"]["remaining"] == 0
        assert by_name["distinct_enterprises"]["remaining"] == 19_999
        assert told.json()["last_refusal"]["limit"] == "client_day"


async def test_a_batch_is_counted_line_by_line(clustered: GatewayFixture) -> None:
    """Lines of one call in one script, on the client's node."""
    platform = await clustered.client("platform", quotas=Quotas(per_day=3))
    names = ("clean", "penalised", "repaired", "abnormal")
    lines = [
        batch_line(place, clustered.uscc(name), "is_active.v1")
        for place, name in enumerate(names, 1)
    ]
    told = await answered(platform, lines, key="k")
    assert [isinstance(each, list) for each in told.answers] == [True, True, True, False]


async def test_a_limit_of_all_clients_holds_across_nodes(clustered: GatewayFixture) -> None:
    """Charged on its own node, after each client's own counters."""
    banks = [await clustered.client() for _ in range(6)]
    before = clustered.app.state.runtime
    changed = before.settings.model_copy(update={"calls_per_second": 1})
    clustered.app.state.runtime = replace(before, settings=changed)
    uscc, seen = clustered.uscc("clean"), Counter[int]()
    try:
        while not (seen[503] and seen[200]):
            answers = await asyncio.gather(*(bank.verify(uscc, "is_active.v1") for bank in banks))
            seen.update(each.status_code for each in answers)
    finally:
        clustered.app.state.runtime = before
    assert seen.keys() == {200, 503}
