"""Routes `/healthz`, `/readyz` and `/metrics`.

Ready means that both database pools and the limit store accept writes, and that this machine's clock agrees
with the database's. The probe deletes no row, but fails on a read-only server.
"""

from typing import Final

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.access.errors import TemporarilyUnavailableError
from gateway.db.clock import clock_sentence, seconds_ahead
from gateway.db.statements import Statement
from gateway.runtime import UsingRuntime
from gateway.shared_metrics import exposition

log = structlog.get_logger("gateway.health")

router = APIRouter(include_in_schema=False)
PROBE_WRITE: Final = Statement("DELETE FROM pending_leaf WHERE false")
PROBE_WRITE_ON_ENGINE: Final = Statement(PROBE_WRITE.sql)


@router.get("/healthz")
async def healthz() -> Response:
    """Liveness."""
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
async def readyz(runtime: UsingRuntime) -> Response:
    """Readiness: the database and the limit store accept writes, and its clock is ours; otherwise 503."""
    await runtime.hot.row(PROBE_WRITE, {})
    async with runtime.engine.begin() as connection:
        await connection.execute(PROBE_WRITE_ON_ENGINE)
    await runtime.limiter.generation()
    wrong_clock = clock_sentence(await seconds_ahead(runtime.hot))
    if wrong_clock is not None:
        log.error("clock_wrong", why=wrong_clock)
        raise TemporarilyUnavailableError
    return Response("ready\n", media_type="text/plain")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus metrics of all worker processes."""
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)
