"""Alive and ready: no more than that is told to whoever asks.

Ready means that a call could be answered: both ways to the database take a write, and the limits' store
takes one. The statement writes no row, and is refused all the same where nothing may be written.
"""

from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.db.statements import Statement
from gateway.runtime import UsingRuntime

router = APIRouter(include_in_schema=False)
WRITES_NOTHING: Final = Statement("DELETE FROM pending_leaf WHERE false")
ON_ENGINE: Final = Statement(WRITES_NOTHING.sql)


@router.get("/healthz")
async def healthz() -> Response:
    """The process serves."""
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
async def readyz(runtime: UsingRuntime) -> Response:
    """The database and the limits' store take a write; otherwise this is a 503 problem."""
    await runtime.hot.row(WRITES_NOTHING, {})
    async with runtime.engine.begin() as connection:
        await connection.execute(ON_ENGINE)
    await runtime.guard.generation()
    return Response("ready\n", media_type="text/plain")


@router.get("/metrics")
async def metrics() -> Response:
    """Prometheus metrics of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
