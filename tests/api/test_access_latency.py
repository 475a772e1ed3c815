"""Latency of operations in `/metrics`: each call once, by what it asked and how it was answered."""

from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.access.service_classes import CLASS_OF
from tests.gateway_fixture import GatewayFixture

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def counted(gateway: GatewayFixture) -> Counter[tuple[str, str, str]]:
    """Calls so far by operation, class and status."""
    text = (await gateway.http.get("/metrics")).text
    (family,) = (
        each
        for each in text_string_to_metric_families(text)
        if each.name == "xinqiao_request_seconds"
    )
    return Counter(
        {
            (each.labels["operation"], each.labels["service_class"], each.labels["status"]): int(
                each.value
            )
            for each in family.samples
            if each.name.endswith("_count")
        }
    )


async def test_each_call_is_counted_under_its_operation(gateway: GatewayFixture) -> None:
    """Answers and refusals apart; neither calls that wait, nor paths that are no operation."""
    bank, before = await gateway.client(), await counted(gateway)
    await bank.verify(gateway.uscc(), "is_active.v1")
    await bank.verify(gateway.uscc(), "no_such.v1")
    await bank.send("/v1/limits", b"", method="GET")
    await bank.send("/v1/changes?wait=1", b"", method="GET", scope="changes")
    await gateway.http.get("/v1/no-such-path")
    after = await counted(gateway)
    found = {key: times - before[key] for key, times in after.items() if times > before[key]}
    assert found.pop(("issue_token", CLASS_OF["issue_token"], "2xx"), 0) >= 0
    assert found == {
        ("verify", "online", "2xx"): 1,
        ("verify", "online", "4xx"): 1,
        ("show_limits", "online", "2xx"): 1,
    }
