"""Example alerts for Prometheus: metrics of the gateway, targets of the service classes, runbooks."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gateway.access.service_classes import SERVICE_CLASSES
from tests.gateway_fixture import GatewayFixture

ALERTS: Final = Path(__file__).parents[2] / "deploy" / "monitoring" / "alerts.yml"


def rules() -> list[dict[str, Any]]:
    """The rules of the only group."""
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


@pytest.mark.asyncio(loop_scope="session")
async def test_each_alert_is_of_metrics_that_the_gateway_exposes(gateway: GatewayFixture) -> None:
    """A renamed metric would leave its alert silent."""
    exposed = (await gateway.http.get("/metrics")).text
    known = set(re.findall(r"^# TYPE (\w+)", exposed, re.MULTILINE))
    for rule in rules():
        for name in re.findall(r"xinqiao_\w+", rule["expr"]):
            assert {name, re.sub("_(bucket|count)$", "", name)} & known, rule["alert"]


def test_latency_is_compared_with_the_targets_of_the_classes() -> None:
    """The seconds in an expression are the p99 of the class that it names."""
    targets = {each.name: each.p99_ms / 1000 for each in SERVICE_CLASSES}
    slow = [rule["expr"] for rule in rules() if "histogram_quantile" in rule["expr"]]
    assert len(slow) == 2
    for expression in slow:
        (name,) = re.findall(r'service_class="(\w+)"', expression)
        assert float(expression.rpartition("> ")[2]) == targets[name]


def test_the_pages_that_alerts_name_are_there() -> None:
    """With the section after the hash."""
    for rule in rules():
        page, _, section = rule["annotations"].get("runbook", "README.md").partition("#")
        text = (ALERTS.parents[2] / page).read_text(encoding="utf-8")
        assert f"## {section.replace('-', ' ')}" in text.lower() or not section
