"""Logging on a full disk: no call fails, and what was lost is told."""

import contextlib
import io
import json
import logging
from typing import cast

from gateway.logging_setup import UnfailingStream


class Disk(io.StringIO):
    """A stream that is full until it is not, or that was closed."""

    error: Exception | None = OSError(28, "No space left on device")

    def flush(self) -> None:
        """Fail as long as it is full."""
        if self.error is not None:
            raise self.error


def test_no_line_fails_and_the_lost_ones_are_counted() -> None:
    disk = Disk()
    stream = UnfailingStream(disk)
    for number in range(3):
        print(f"line {number}", file=cast("io.StringIO", stream), flush=True)
    disk.error = None
    print("line 3", file=cast("io.StringIO", stream), flush=True)
    *_, last, told = disk.getvalue().splitlines()
    assert last == "line 3"
    assert json.loads(told)["event"] == "log_lines_lost"
    assert json.loads(told)["lines"] == 3
    print("line 4", file=cast("io.StringIO", stream), flush=True)
    assert disk.getvalue().splitlines()[-1] == "line 4"


def test_other_libraries_warnings_do_not_fail_either() -> None:
    """Nor where the stream was closed."""
    disk = Disk()
    disk.close()
    unfailing = logging.StreamHandler(cast("io.StringIO", UnfailingStream(disk)))
    with contextlib.redirect_stderr(io.StringIO()) as complaint:
        unfailing.emit(logging.makeLogRecord({"msg": "x"}))
    assert complaint.getvalue() == ""
