"""Gateway process: `xinqiao-gateway serve` as operators run it, with captured output."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2

from gateway.settings import Settings
from tests.servers.ports import free_port
from tests.waiting import PATIENCE

COMMAND = (sys.executable, "-c", "from gateway.cli.main import main; main()")


def environment(settings: Settings, **changed: str) -> dict[str, str]:
    """Environment variables of these settings."""
    files = {
        "XINQIAO_SIGNING_KEYS": settings.signing_keys,
        "XINQIAO_VAULT_KEYS": settings.vault_keys,
        "XINQIAO_DEMO_PEOPLE": settings.demo_people,
    }
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XINQIAO_")},
        **{name: str(path) for name, path in files.items()},
        "XINQIAO_DATABASE_URL": settings.database_url,
        "XINQIAO_ISSUER": settings.issuer,
        "XINQIAO_SECRET": settings.secret.get_secret_value(),
        "XINQIAO_LOG_CHECKPOINTS": ",".join(settings.log_checkpoints),
        "XINQIAO_DEMO": "true",
        "XINQIAO_REQUEST_TIMEOUT": str(settings.request_timeout),
        **changed,
    }


@contextlib.contextmanager
def serving(settings: Settings, output: Path, **changed: str) -> Iterator[str]:
    """URL of a running gateway whose output is collected in `output`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with output.open("wb") as kept:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port)],
            env=environment(settings, **changed),
            stdout=kept,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(httpx2.TransportError):
            httpx2.get(f"{address}/healthz", trust_env=False)
            return
        assert process.poll() is None, "the gateway ended at once"
        assert time.monotonic() < until, "the gateway did not start"
        time.sleep(0.05)


def run(*arguments: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run an `xinqiao-gateway` command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
