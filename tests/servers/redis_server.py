"""Redis server for tests: a process of its own on a Unix socket or port."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from redis import Redis
from redis.exceptions import RedisError

from gateway.limits.redis_store import RedisStore
from tests.servers.ports import free_port
from tests.waiting import PATIENCE

BINARY = shutil.which("redis-server")


class RedisServer:
    """A server that can be stopped and restarted at the same address, without persistence."""

    def __init__(
        self, *, cluster: bool = False, tcp: bool = False, slots: str | None = "0 16383"
    ) -> None:
        if BINARY is None:
            pytest.skip("redis-server is not installed")
        self._binary = BINARY
        self._folder = Path(tempfile.mkdtemp(prefix="xq-redis-"))
        self._cluster = cluster
        self._slots = slots if cluster else None
        self._port = free_port() if cluster or tcp else 0
        self.cluster_port = free_port() if cluster else 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """TCP port; 0 with a Unix socket only."""
        return self._port

    @property
    def plain_url(self) -> str:
        """URL of this server."""
        if self._port:
            return f"redis://127.0.0.1:{self._port}"
        return f"unix://{self._folder}/redis.sock"

    @property
    def url(self) -> str:
        """URL in the form of the gateway's setting."""
        return self.plain_url.replace(
            "redis://", "redis+cluster://" if self._cluster else "redis://"
        )

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """True if the server is running."""
        return self._process is not None

    def start(self) -> None:
        """Start empty, and wait until it answers."""
        self._process = subprocess.Popen(
            [self._binary, *self._options()],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        with contextlib.closing(self.client()) as client:
            wait_for(client.ping)
            if self._slots is not None:
                client.cluster("ADDSLOTSRANGE", *self._slots.split())
                wait_for(lambda: client.set("up", "yes"))
                client.delete("up")

    def stop(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> "Redis":
        """A Redis client for the test."""
        return Redis.from_url(self.plain_url, decode_responses=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _options(self) -> list[str]:
        common = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        if not self._port:
            return [*common, "--port", "0", "--unixsocket", str(self._folder / "redis.sock")]
        common += ["--bind", "127.0.0.1", "--port", str(self._port)]
        if not self._cluster:
            return common
        config = f"nodes-{time.monotonic_ns()}.conf"
        return [
            *common,
            "--cluster-port",
            str(self.cluster_port),
            "--cluster-enabled",
            "yes",
            "--cluster-config-file",
            config,
        ]


@contextlib.contextmanager
def redis_cluster(*, replicas: int = 0) -> Iterator[list[RedisServer]]:
    """Three primaries that share the slots, then replicas of the first."""
    with contextlib.ExitStack() as stack:
        nodes = [
            stack.enter_context(RedisServer(cluster=True, slots=None)) for _ in range(3 + replicas)
        ]
        clients = [stack.enter_context(node.client()) for node in nodes]
        for place, client in enumerate(clients[:3]):
            client.cluster("ADDSLOTSRANGE", place * 5462, min((place + 1) * 5462, 16384) - 1)
        for node in nodes[1:]:
            clients[0].cluster("MEET", "127.0.0.1", node.port, node.cluster_port)
        known = f"{len(nodes)}"
        wait_for(lambda: all(c.cluster("INFO")["cluster_known_nodes"] == known for c in clients))
        first = clients[0].cluster("MYID")
        wait_for(lambda: [each.cluster("REPLICATE", first) for each in clients[3:]] or True)
        wait_for(lambda: all(c.cluster("INFO")["cluster_state"] == "ok" for c in clients))
        wait_for(lambda: all(map(_follows, clients[3:])))
        yield nodes


def _follows(replica: Redis) -> bool:
    return bool(replica.info("replication")["master_link_status"] == "up")


def patient_store(url: str) -> RedisStore:
    """A limit store with long timeouts, for a busy machine."""
    options = f"socket_timeout={PATIENCE}&socket_connect_timeout={PATIENCE}"
    return RedisStore(f"{url}?{options}", deadline=PATIENCE)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of the session's shared Redis; a test may flush it."""
    with RedisServer() as server:
        yield server.url


def wait_for(answer: Callable[[], object]) -> None:
    """Wait until it returns something true."""
    until = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(RedisError):
            if answer():
                return
        assert time.monotonic() < until, "Redis did not come to that"
        time.sleep(0.01)
