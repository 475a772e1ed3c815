"""Latency of each operation (Prometheus), measured as the service classes state it.

From the request's last byte to the answer's first. Calls that wait for news (`wait`) are left out.
"""

from typing import Final

from prometheus_client import Histogram
from starlette.types import Scope

from gateway.access.service_classes import CLASS_OF

BUCKETS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds; the p99 that each service class states is one of them."""
SECONDS: Final = Histogram(
    "xinqiao_request_seconds",
    "From the request's last byte to the answer's first, by operation, service class and status",
    ["operation", "service_class", "status"],
    buckets=BUCKETS,
)
_WAITS: Final = b"wait="
_children: Final[dict[tuple[str, int], Histogram]] = {}


def observe(scope: Scope, status: int, seconds: float) -> None:
    """Count a call of a routed operation that has a service class."""
    operation = getattr(scope.get("route"), "name", "")
    if operation not in CLASS_OF or _WAITS in scope["query_string"]:
        return
    found = _children.get((operation, status // 100))
    if found is None:
        found = SECONDS.labels(operation, CLASS_OF[operation], f"{status // 100}xx")
        _children[operation, status // 100] = found
    found.observe(seconds)
