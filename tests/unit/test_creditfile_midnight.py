"""Days end at 00:00 in Shanghai in any time zone of the machine."""

import json
import os
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/Los_Angeles"])
def test_a_record_is_disclosed_until_the_last_second_of_its_last_day(zone: str) -> None:
    """In a process started with another TZ."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.midnight_process"],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert json.loads(done.stdout) == {
        "23:59:59": {"page": 1, "query": 1, "answer": "no"},
        "00:00:00": {"page": 0, "query": 0, "answer": "yes"},
    }
