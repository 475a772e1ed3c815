"""Supervisor of the worker processes of `serve`: starts them, replaces dead or hanging ones, logs it.

A worker is ready when it serves. Until then only its death counts, for a start takes as long as the
machine needs. From then on its event loop reports once a second, and a worker whose loop has been
silent for `HUNG_AFTER` is killed and replaced. A worker whose supervisor is gone ends by itself.

SIGTERM and SIGINT end all workers gracefully; SIGHUP replaces them one after the other, each once its
successor is ready.
"""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final

import structlog
import uvicorn

from gateway.logging_setup import configure
from gateway.shared_metrics import drop_gauges, keep_folder, sharing_metrics

log = structlog.get_logger("gateway.supervisor")

HUNG_AFTER: Final = 60.0  # seconds without a report from the event loop of a ready worker
LONG_LIVED: Final = 60.0  # seconds; a worker that served for so long is replaced at once
LONGEST_PAUSE: Final = 30.0  # seconds between two starts where workers keep dying
ROUND_SECONDS: Final = 0.2
FAILED: Final = 3  # exit status, as uvicorn's own for a failed start
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

ALIVE, ENDING = b"a", b"e"


class ReportingServer(uvicorn.Server):
    """A uvicorn server that reports once a second, from its event loop, that it serves."""

    def __init__(self, config: uvicorn.Config, reports: Connection) -> None:
        super().__init__(config)
        self._reports = reports
        os.set_blocking(reports.fileno(), False)

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second while it serves."""
        if counter % 10 == 0:
            self._report(ALIVE)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once it is asked to end: calls under way are finished first."""
        self._report(ENDING)
        await super().shutdown(sockets)

    def _report(self, sign: bytes) -> None:
        try:
            os.write(self._reports.fileno(), sign)
        except BlockingIOError:
            pass  # a supervisor that is stopped reads what is there when it goes on
        except BrokenPipeError:
            self.should_exit = True


def run_worker(config: uvicorn.Config, bound: socket.socket, reports: Connection) -> None:
    """Serve in a worker process."""
    configure()
    ReportingServer(config, reports).run(sockets=[bound])


@dataclass(slots=True, kw_only=True, eq=False)
class WorkerProcess:
    """A worker process with its reports; times are of the monotonic clock."""

    process: SpawnProcess
    reports: Connection
    started_at: float
    ready_at: float | None = None
    reported_at: float | None = None
    is_ending: bool = False

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self.process.pid

    def read_reports(self, now: float) -> None:
        """Read its reports since the last call."""
        while self.reports.poll():
            try:
                read = os.read(self.reports.fileno(), 1024)
            except OSError:
                return
            if not read:
                return  # it has ended
            self.is_ending = self.is_ending or ENDING in read
            self.reported_at = now
            if self.ready_at is None and ALIVE in read:
                self.ready_at = now
                log.info("worker_ready", pid=self.pid, seconds=round(now - self.started_at, 1))

    def hangs(self, now: float, hung_after: float) -> bool:
        """True if it was ready, is not ending, and has stopped reporting."""
        return (
            self.reported_at is not None
            and not self.is_ending
            and now - self.reported_at > hung_after
        )

    def end(self) -> None:
        """Ask it to finish its calls and end."""
        self.is_ending = True
        self.process.terminate()


@dataclass(slots=True, kw_only=True, eq=False)
class WorkerSlot:
    """One worker position: the serving process, its successor, and the one that is leaving."""

    worker: WorkerProcess | None = None
    successor: WorkerProcess | None = None
    leaving: WorkerProcess | None = None
    deaths: int = 0  # of workers that served only briefly, in a row
    start_at: float = 0.0

    @property
    def all(self) -> list[WorkerProcess]:
        """Every process of this slot."""
        return [each for each in (self.worker, self.successor, self.leaving) if each is not None]


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Keeps `workers` processes that run `target(config, bound socket, reports)`."""

    config: uvicorn.Config
    workers: int
    hung_after: float = HUNG_AFTER
    target: Callable[[uvicorn.Config, socket.socket, Connection], None] = run_worker
    _bound: socket.socket = field(init=False)
    _slots: list[WorkerSlot] = field(init=False)
    _to_replace: list[WorkerSlot] = field(default_factory=list)
    _caught: list[int] = field(default_factory=list)
    _has_served: bool = False
    _is_ending: bool = False
    _status: int = 0

    def run(self) -> int:
        """Serve until a signal ends it, or no worker can start; the exit status."""
        self._bound = self.config.bind_socket()
        self._slots = [WorkerSlot() for _ in range(self.workers)]
        log.info("supervisor_started", pid=os.getpid(), workers=self.workers)
        with sharing_metrics(), self._catching(), self._bound:
            while not self._is_ending or any(slot.all for slot in self._slots):
                self._round(time.monotonic())
                time.sleep(ROUND_SECONDS)
        log.info("supervisor_ended", status=self._status)
        return self._status

    def _processes(self) -> Iterator[WorkerProcess]:
        return (worker for slot in self._slots for worker in slot.all)

    def _round(self, now: float) -> None:
        while self._caught:
            self._handle_signal(self._caught.pop(0))
        for slot in self._slots:
            for worker in slot.all:
                worker.read_reports(now)
                self._has_served = self._has_served or worker.ready_at is not None
                if worker.process.exitcode is not None:
                    self._note_death(slot, worker, now)
                elif worker.hangs(now, self.hung_after):
                    log.error("worker_hangs", pid=worker.pid, seconds=round(self.hung_after, 1))
                    worker.process.kill()
            if not self._is_ending:
                self._fill(slot, now)

    def _fill(self, slot: WorkerSlot, now: float) -> None:
        """Start a missing worker, and switch to a ready successor."""
        if slot.worker is None and now >= slot.start_at:
            slot.worker = self._started(now)
        if self._to_replace[:1] != [slot]:
            return
        if slot.successor is None and slot.leaving is None:
            slot.successor = self._started(now)
        elif slot.successor is not None and slot.successor.ready_at is not None:
            slot.worker, slot.successor, slot.leaving = slot.successor, None, slot.worker
            if slot.leaving is not None:
                slot.leaving.end()
            else:
                self._to_replace = self._to_replace[1:]

    def _started(self, now: float) -> WorkerProcess:
        reports, sending = multiprocessing.Pipe(duplex=False)
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=self.target, args=(self.config, self._bound, sending))
        keep_folder()
        process.start()
        sending.close()  # so that only the worker holds it
        log.info("worker_started", pid=process.pid)
        return WorkerProcess(process=process, reports=reports, started_at=now)

    def _note_death(self, slot: WorkerSlot, worker: WorkerProcess, now: float) -> None:
        """Log a death, and schedule the replacement."""
        code = worker.process.exitcode or 0
        served = round(now - worker.ready_at, 1) if worker.ready_at is not None else None
        cause: dict[str, Any] = {"status": code} if code >= 0 else {"signal": _name(-code)}
        if worker.is_ending:
            log.info("worker_ended", pid=worker.pid, seconds=served, **cause)
        else:
            log.error("worker_died", pid=worker.pid, seconds=served, **cause)
        drop_gauges(worker.pid)
        worker.reports.close()
        worker.process.close()
        if worker is slot.leaving:
            slot.leaving = None
            self._to_replace = self._to_replace[1:]
        elif worker is slot.successor:
            slot.successor = None
            self._to_replace.clear()
            log.error("replacing_given_up", reason="the successor died before it was ready")
        else:
            slot.worker = None
            slot.deaths = 0 if served is not None and served >= LONG_LIVED else slot.deaths + 1
            pause = min(LONGEST_PAUSE, 2.0 ** (slot.deaths - 2)) if slot.deaths > 1 else 0.0
            slot.start_at = now + pause
        if code > 0 and not self._has_served and not self._is_ending:
            log.error("start_failed", status=code)
            self._end(FAILED)

    def _handle_signal(self, caught: int) -> None:
        log.info("signal", signal=_name(caught))
        if caught == signal.SIGHUP:
            if not self._is_ending and not self._to_replace:
                self._to_replace = list(self._slots)
        else:
            self._end(0)

    def _end(self, status: int) -> None:
        """Ask every worker to end."""
        self._status = self._status or status
        self._is_ending = True
        self._to_replace.clear()
        for worker in self._processes():
            worker.end()

    @contextmanager
    def _catching(self) -> Iterator[None]:
        """Collect signals inside the block; they are handled in the next round."""
        before = {
            each: signal.signal(each, lambda caught, _: self._caught.append(caught))
            for each in SIGNALS
        }
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _name(number: int) -> str:
    return signal.Signals(number).name
