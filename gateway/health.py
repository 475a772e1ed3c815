"""Routes `/healthz`, `/readyz` and `/metrics`.

Ready means that both database pools and the limit store accept writes. The probe deletes no row, but
fails on a read-only server.
"""

from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.db.statements import Statement
from gateway.runtime import UsingRuntime
from gateway.shared_metrics import exposition

router = APIRouter(include_in_schema=False)
PROBE_WRITE: Final = Statement("DELETE FROM pending_leaf WHERE false")
PROBE_WRITE_ON_ENGINE: Final = Statement(PROBE_WRITE.sql)


@router.get("/healthz")
async def healthz() -> Response:
    """Liveness."""
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
async def readyz(runtime: UsingRuntime) -> Response:
    """Readiness: the database and the limit store accept writes; otherwise a 503 problem."""
    await runtime.hot.row(PROBE_WRITE, {})
    async with runtime.engine.begin() as connection:
        await connection.execute(PROBE_WRITE_ON_ENGINE)
    await runtime.limiter.generation()
    return Response("ready\n", media_type="text/plain")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus metrics of all worker processes."""
    return Response(exposition(), media_type=CONTENT_TYPE_LATEST)
