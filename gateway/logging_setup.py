"""Logging setup: JSON lines with request ids; never codes, names, numbers, tokens or addresses."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO, cast

import structlog


class UnfailingStream:
    """A text stream's `write` and `flush` without their errors.

    A full disk or a reader that has gone ends neither calls nor background work. Lines that could not be
    written are counted, and told once there is room again.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def write(self, text: str) -> int:
        """Write it, or count it."""
        try:
            self._stream.write(text)
        except (OSError, ValueError):  # ValueError: it was closed
            self._lost += "\n" in text
        return len(text)

    def flush(self) -> None:
        """Flush what was written; then say how many lines were lost before."""
        try:
            self._stream.flush()
            if self._lost:
                self._stream.write(self._line())
                self._stream.flush()
        except (OSError, ValueError):
            self._lost += 1
        else:
            self._lost = 0

    def _line(self) -> str:
        told = {"lines": self._lost, "event": "log_lines_lost", "level": "error"}
        return json.dumps({**told, "timestamp": datetime.now(UTC).isoformat()}) + "\n"


def configure(stream: TextIO = sys.stdout, *, level: int = logging.INFO) -> None:
    """Configure structured logging; other libraries' warnings too."""
    unfailing = cast("TextIO", UnfailingStream(stream))
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(unfailing),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(unfailing)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processor=structlog.processors.JSONRenderer()
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
