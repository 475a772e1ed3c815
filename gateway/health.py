"""Alive and ready: no more than that is told to whoever asks."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.db.hot import Statement
from gateway.runtime import UsingRuntime

router = APIRouter(include_in_schema=False)
ALIVE = Statement("SELECT 1 AS alive")


@router.get("/healthz")
async def healthz() -> Response:
    """The process serves."""
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
async def readyz(runtime: UsingRuntime) -> Response:
    """The database and the limits' store answer; otherwise this is a 503 problem."""
    await runtime.hot.row(ALIVE, {})
    await runtime.guard.generation()
    return Response("ready\n", media_type="text/plain")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
