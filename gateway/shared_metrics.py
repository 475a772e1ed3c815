"""Prometheus metrics of all worker processes of one gateway, kept in files that they share.

`prometheus_client` looks for the folder when it is imported: the supervisor names one before it starts
workers. Counts of workers that have ended stay; their gauges do not.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
MEMORY: Final = "/dev/shm"  # noqa: S108  # the folder made in it is private
"""Taken before the folder for temporary files: a write to a mapped file on a full disk is a SIGBUS."""


@contextmanager
def sharing_metrics() -> Iterator[None]:
    """Let all processes that are started inside the block share their metrics."""
    parent = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None
    with tempfile.TemporaryDirectory(prefix="xinqiao-metrics-", dir=parent) as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def keep_folder() -> None:
    """Make the folder again where something has deleted it: a worker could not start without it.

    A session's end deletes its user's files in /dev/shm (logind's `RemoveIPC`). Raises `OSError`.
    """
    folder = os.environ.get(FOLDER)
    if folder is not None and not Path(folder).is_dir():
        Path(folder).mkdir(mode=0o700)


def drop_gauges(pid: int | None) -> None:
    """Forget the gauges of a process that has ended."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """The metrics in Prometheus' text format: of all workers, or of this process where it is the only one."""
    if FOLDER not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
