"""Worker processes under load: uvicorn workers started alike, and node-oidc-provider."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]  # comes with the embedded PostgreSQL
from sqlalchemy.engine import make_url

from tests.bench.environment import Environment, public_keys
from tests.bench.options import (
    BARE,
    BASELINE,
    ECHO,
    GATEWAY,
    HOST,
    KIT_CLIENT,
    PEER,
    SCOPE,
    STATIC,
    STORED_PEER,
    Contender,
    free_port,
)
from tests.node import programs

START_SECONDS: Final = 30
STOP_SECONDS: Final = 10
SHOWN: Final = 2_000
APPLICATIONS: Final = {
    GATEWAY: "gateway.cli.serve:application",
    BASELINE: "tests.bench.baseline:baseline",
    ECHO: "tests.bench.baseline:echo",
    BARE: "tests.bench.baseline:bare",
    STATIC: "tests.bench.baseline:static",
}
UVICORN: Final = (
    *("-m", "uvicorn", "--factory", "--host", HOST, "--loop", "uvloop"),
    *("--http", "gateway.http1.protocol:Http1Protocol", "--ws", "none"),
    *("--no-access-log", "--no-server-header", "--no-proxy-headers", "--log-level", "warning"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """CPU seconds of the worker, of PostgreSQL with its children, and of Redis."""

    worker: float
    postgres: float
    redis: float

    def since(self, before: "CpuTimes") -> "CpuTimes":
        """CPU time since `before`."""
        return CpuTimes(
            worker=self.worker - before.worker,
            postgres=self.postgres - before.postgres,
            redis=self.redis - before.redis,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A worker process at `port`, or a supervisor of several, with the stores that it uses."""

    port: int
    worker: psutil.Process
    postgres: psutil.Process
    redis: psutil.Process

    def spent(self) -> CpuTimes:
        """CPU times so far."""
        return CpuTimes(
            worker=_cpu(_family(self.worker)),
            postgres=_cpu(_family(self.postgres)),
            redis=_cpu([self.redis]),
        )

    def resident(self) -> int:
        """The worker's resident memory in bytes."""
        return int(self.worker.memory_info().rss)


@contextmanager
def servers(
    environment: Environment, contenders: Iterable[Contender], **variables: str
) -> Iterator[Mapping[str, Server]]:
    """Start one worker for each application; the gateway's port is in its issuer.

    `variables` are added to their environment.
    """
    postmaster = int((environment.database_folder / "postmaster.pid").read_text().split("\n")[0])
    with ExitStack() as stack:
        running = {}
        for name in dict.fromkeys(each.server for each in contenders):
            port = environment.port if name == GATEWAY else free_port()
            running[name] = Server(
                port=port,
                worker=psutil.Process(
                    stack.enter_context(_worker(name, port, environment, variables))
                ),
                postgres=psutil.Process(postmaster),
                redis=psutil.Process(environment.redis.pid),
            )
        yield running


def _command(name: str, port: int, environment: Environment) -> tuple[str, ...]:
    if name not in {PEER, STORED_PEER}:
        return (sys.executable, *UVICORN, "--port", str(port), APPLICATIONS[name])
    return _node_command(port, environment, postgres=name == STORED_PEER)


def _node_command(port: int, environment: Environment, *, postgres: bool) -> tuple[str, ...]:
    client = environment.kit["clients"][KIT_CLIENT]
    known = {
        "client_id": client["client_id"],
        "scope": SCOPE,
        "jwks": {"keys": public_keys(environment.kit)},
    }
    ask: dict[str, Any] = {"clients": [known], "port": port}
    if postgres:
        address = make_url(environment.settings.database_url)
        ask["postgres"] = {
            "host": address.query["host"],
            "user": address.username,
            "database": address.database,
            "connections": environment.settings.database_pool,
        }
    try:
        node = programs.install().node
    except programs.NodeMissingError as missing:
        raise SystemExit(f"{missing} (The other parts do without it.)") from None
    return (node, str(programs.FOLDER / "provider-fapi.mjs"), json.dumps(ask))


@contextmanager
def _worker(
    name: str, port: int, environment: Environment, variables: Mapping[str, str]
) -> Iterator[int]:
    log = Path(environment.settings.signing_keys).parent / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(name, port, environment),
            env={**os.environ, **environment.variables, **variables, "NODE_ENV": "production"},
            stdin=subprocess.PIPE,  # the foreign server ends with it
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await_port(port, process, log)
        yield process.pid
    except BaseException:
        if said := log.read_text()[-SHOWN:]:
            print(f"--- the last lines of {name} ---", said, sep="\n")
        raise
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _await_port(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until this process listens, and not another one on that port."""
    until = time.monotonic() + START_SECONDS
    worker = psutil.Process(process.pid)
    while process.poll() is None and time.monotonic() < until:
        held = worker.net_connections("tcp4")
        if any(each.laddr.port == port and each.status == psutil.CONN_LISTEN for each in held):
            return
        time.sleep(0.05)
    raise RuntimeError(f"A worker did not start; see {log}.")


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes if process.is_running()]
    return float(sum(each.user + each.system for each in times))
