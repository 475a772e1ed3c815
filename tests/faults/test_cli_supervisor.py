"""Supervisor of `serve`: slow starts, killed and hung workers, reload, shutdown."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from gateway.privacy.field_encryption import Vault
from gateway.signing.keys import new_key_file
from tests.databases import new_database
from tests.log_builders import make_checkpoint_folder
from tests.servers.gateway_process import COMMAND
from tests.servers.ports import free_port
from tests.servers.redis_server import RedisServer

PATIENCE: Final = 120.0  # seconds that anything may take on a busy machine
SLOW: Final = 6.5  # seconds: uvicorn's own supervisor kills a worker that is silent for five
SLOWLY: Final = f"""
import sys, time
if "--multiprocessing-fork" in sys.argv:
    time.sleep({SLOW})
"""

Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorProcess:
    """Supervisor process, its address and its log file."""

    process: subprocess.Popen[bytes]
    address: str
    output: Path

    def lines(self, event: str) -> list[Line]:
        """Log lines of this event; each printed line must be JSON."""
        whole = self.output.read_text().rpartition("\n")[0]
        parsed = [json.loads(line) for line in whole.splitlines()]
        return [line for line in parsed if line.get("event") == event]

    def wait_for(self, event: str, times: int = 1, *, after: int = 0) -> list[Line]:
        """Log lines of this event, waiting for so many beyond the first `after`."""
        eventually(lambda: len(self.lines(event)) >= after + times)
        return self.lines(event)[after:]

    def pids(self, event: str) -> list[int]:
        """Process ids in the lines of this event."""
        return [line["pid"] for line in self.lines(event)]

    def serving(self) -> set[int]:
        """Workers that are ready and have not ended."""
        gone = self.pids("worker_died") + self.pids("worker_ended")
        return set(self.pids("worker_ready")) - set(gone)

    def answering(self) -> int:
        """Process id of the worker that answers a call."""
        return int(httpx2.get(self.address, trust_env=False, timeout=PATIENCE).text)

    def metrics(self) -> dict[str, float]:
        """The small application's metrics, as one of the workers tells them."""
        shown = httpx2.get(f"{self.address}/metrics", trust_env=False, timeout=PATIENCE).text
        lines = (
            line.partition(" ") for line in shown.splitlines() if line.startswith("supervised_")
        )
        return {name.removeprefix("supervised_"): float(value) for name, _, value in lines}


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.05)


@contextmanager
def running(command: list[str], output: Path, **changed: str) -> Iterator[SupervisorProcess]:
    """Run a supervisor; PORT in its command is replaced by a free one."""
    port = str(free_port())
    with output.open("wb") as kept:
        process = subprocess.Popen(
            [part.replace("PORT", port) for part in command],
            env={**os.environ, **changed},
            stdout=kept,
            stderr=subprocess.STDOUT,
        )
        try:
            yield SupervisorProcess(
                process=process, address=f"http://127.0.0.1:{port}", output=output
            )
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def small(output: Path, **changed: str) -> Any:  # a context manager
    """Command with two workers of the small application."""
    return running(
        [sys.executable, "-m", "tests.servers.supervised_app", "PORT"], output, **changed
    )


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisorProcess]:
    """A supervisor shared by tests that kill its workers."""
    with small(tmp_path_factory.mktemp("supervised") / "log") as made:
        yield made


@pytest.fixture
def supervised(lasting: SupervisorProcess) -> SupervisorProcess:
    """The supervisor with two ready workers."""
    eventually(lambda: len(lasting.serving()) == 2)
    return lasting


def test_workers_that_start_slowly_are_left_alone(postgres_url: str, tmp_path: Path) -> None:
    """Starts longer than a health check's timeout are tolerated."""
    (tmp_path / "sitecustomize.py").write_text(SLOWLY)
    (tmp_path / "signing").write_text(new_key_file())
    (tmp_path / "vault").write_text(Vault.generate_keys())
    with RedisServer() as redis:
        settings = {
            "XINQIAO_DATABASE_URL": asyncio.run(new_database(postgres_url)),
            "XINQIAO_LOG_CHECKPOINTS": make_checkpoint_folder(tmp_path),
            "XINQIAO_REDIS_URL": redis.url,
            "XINQIAO_ISSUER": "https://credit.example.gov.cn",
            "XINQIAO_SECRET": "not a secret, but long enough to be one",
            "XINQIAO_SIGNING_KEYS": str(tmp_path / "signing"),
            "XINQIAO_VAULT_KEYS": str(tmp_path / "vault"),
            "XINQIAO_WORKERS": "2",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
        }
        command = [*COMMAND, "serve", "--port", "PORT"]
        with running(command, tmp_path / "log", **settings) as made:
            ready = made.wait_for("worker_ready", 2)
            assert httpx2.get(f"{made.address}/readyz", trust_env=False).status_code == 200
    assert all(line["seconds"] >= SLOW for line in ready)
    assert sorted(made.pids("worker_started")) == sorted(made.pids("worker_ready"))
    assert not made.lines("worker_died")
    assert made.process.returncode == 0


def test_a_killed_worker_is_logged_and_replaced(supervised: SupervisorProcess) -> None:
    """SIGKILL is logged with its signal, and another worker becomes ready."""
    victim = supervised.answering()
    os.kill(victim, signal.SIGKILL)
    [died] = supervised.wait_for("worker_died")
    assert (died["pid"], died["signal"], died["level"]) == (victim, "SIGKILL", "error")
    eventually(lambda: len(supervised.serving()) == 2)


def test_metrics_are_of_all_workers_whichever_answers(tmp_path: Path) -> None:
    """A killed worker's counts stay, its gauges go."""
    with small(tmp_path / "log") as made:
        made.wait_for("worker_ready", 2)
        answered: list[int] = []
        while len(set(answered)) < 2:
            answered.append(made.answering())
        highest = max(answered)
        assert made.metrics() == {"calls_total": len(answered), "newest": highest}
        os.kill(highest, signal.SIGKILL)
        made.wait_for("worker_ready", 3)
        assert made.metrics() == {"calls_total": len(answered), "newest": min(answered)}


def test_a_worker_that_hangs_is_replaced(supervised: SupervisorProcess) -> None:
    """The process lives but its event loop is blocked."""
    before = len(supervised.lines("worker_died"))
    with suppress(httpx2.TransportError):
        httpx2.get(f"{supervised.address}/block", trust_env=False, timeout=0.5)
    [hangs] = supervised.wait_for("worker_hangs")
    [died] = supervised.wait_for("worker_died", after=before)
    assert died["pid"] == hangs["pid"]
    eventually(lambda: len(supervised.serving()) == 2)


def test_sighup_replaces_each_worker_and_loses_no_call(supervised: SupervisorProcess) -> None:
    """Each successor serves before its predecessor ends; no call fails."""
    before, deaths = supervised.serving(), supervised.lines("worker_died")
    supervised.process.send_signal(signal.SIGHUP)
    while len(supervised.lines("worker_ended")) < 2:
        assert supervised.answering()
    assert set(supervised.pids("worker_ended")) == before
    assert supervised.answering() not in before
    assert supervised.lines("worker_died") == deaths


def test_the_end_waits_for_calls_under_way(tmp_path: Path) -> None:
    """Calls in progress are answered; exit status 0."""
    with small(tmp_path / "log") as made:
        made.wait_for("worker_ready")
        with httpx2.stream("GET", f"{made.address}/slow", trust_env=False) as under_way:
            made.process.send_signal(signal.SIGINT)
            assert int(under_way.read()) in made.pids("worker_ready")
        assert made.process.wait(PATIENCE) == 0
    assert len(made.lines("worker_ended")) == 2
    assert not made.lines("worker_died")


def test_workers_end_when_their_supervisor_is_gone(tmp_path: Path) -> None:
    """Orphaned workers end."""
    with small(tmp_path / "log") as made:
        pids = [line["pid"] for line in made.wait_for("worker_ready", 2)]
        made.process.kill()
        eventually(lambda: not any(_lives(pid) for pid in pids))


def test_a_failed_start_ends_with_a_status(tmp_path: Path) -> None:
    """If no worker ever served, the supervisor exits."""
    (tmp_path / "fails").touch()
    with small(tmp_path / "log", SUPERVISED_FAILS=str(tmp_path / "fails")) as made:
        assert made.process.wait(PATIENCE) == 3
    assert made.lines("start_failed")


def test_a_worker_that_cannot_start_again_is_tried_until_it_can(tmp_path: Path) -> None:
    """During an outage no serving worker is lost, and starting is retried."""
    fails = tmp_path / "fails"
    with small(tmp_path / "log", SUPERVISED_FAILS=str(fails)) as made:
        made.wait_for("worker_ready", 2)
        fails.touch()
        os.kill(made.answering(), signal.SIGKILL)
        made.wait_for("worker_died", 3)  # the killed one, and two that could not start
        assert made.answering()
        fails.unlink()
        made.wait_for("worker_ready", 3)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
