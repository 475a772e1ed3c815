"""Minimal application under the gateway's supervisor: `-m tests.servers.supervised_app PORT`.

`GET /` gives the worker's process id; `GET /block` blocks its event loop for good; `GET /slow` takes a
second from its first byte to its last; `GET /metrics` gives the metrics. `SUPERVISED_FAILS` in the
environment names a file: while it is there, starting fails.
"""

import asyncio
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

import uvicorn
from prometheus_client import Counter, Gauge

from gateway.cli.supervisor import Supervisor
from gateway.http1.server import SERVER_OPTIONS
from gateway.logging_setup import configure
from gateway.shared_metrics import exposition

HUNG_AFTER: Final = 3.0  # seconds


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the process id."""
    if scope["type"] == "lifespan":
        await receive()
        outcome = "failed" if _fails() else "complete"
        await send({"type": f"lifespan.startup.{outcome}"})
        if outcome == "complete":
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/block":
        threading.Event().wait()
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if scope["path"] == "/metrics":
        await send({"type": "http.response.body", "body": exposition()})
        return
    calls, newest = _counts()
    calls.inc()
    newest.set(os.getpid())
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": b"0", "more_body": True})
        await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})


@cache
def _counts() -> tuple[Counter, Gauge]:
    """Made at the first call: a worker imports this module twice."""
    newest = Gauge("supervised_newest", "The largest pid", multiprocess_mode="livemax")
    return Counter("supervised_calls", "Calls answered"), newest


def _fails() -> bool:
    return Path(os.environ.get("SUPERVISED_FAILS", "/nonexistent")).exists()


if __name__ == "__main__":
    configure()
    made = uvicorn.Config(
        "tests.servers.supervised_app:app", port=int(sys.argv[1]), log_config=None, **SERVER_OPTIONS
    )
    raise SystemExit(Supervisor(config=made, workers=2, hung_after=HUNG_AFTER).run())
