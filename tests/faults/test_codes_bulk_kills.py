"""Bulk issue of codes killed and resumed: no enterprise twice, no code missing from the file."""

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from tests.codes_bulk_fixture import IN_BUSINESS, CommandFixture, make_command_fixture
from tests.sampling import sampled
from tests.waiting import PATIENCE

KILLS: Final = sampled(3, full=30)
MORE: Final = 500 * KILLS
_COPY: Final = """
INSERT INTO enterprise SELECT (jsonb_populate_record(e, jsonb_build_object(
    'uscc', '91330106MB' || lpad(CAST(n AS text), 8, '0')))).*
  FROM enterprise AS e, generate_series(1, :more) AS n WHERE e.name = '杭州第1商店'"""


def test_a_bulk_issue_is_killed_anywhere_and_finished_by_the_next(
    postgres_url: str, tmp_path: Path
) -> None:
    """SIGKILL, several times; the last run completes what is there."""
    fixture = make_command_fixture(postgres_url, tmp_path)
    fixture.rows(_COPY, more=MORE)
    left = []
    for _ in range(KILLS):
        run_and_kill(fixture)
        check(fixture)
        left.append(IN_BUSINESS + MORE - len(issued(fixture)))
    assert left == sorted(left, reverse=True)
    assert 0 < left[0] < IN_BUSINESS + MORE, "the first kill came in the middle"
    fixture.run(*fixture.bulk())
    check(fixture)
    written = [each["code_id"] for each in fixture.lines()]
    assert len(written) == IN_BUSINESS + MORE
    assert set(written) == issued(fixture)


def run_and_kill(fixture: CommandFixture) -> None:
    """Start the command, and kill it at a random moment after the first page that it commits."""
    before, run = len(issued(fixture)), fixture.start_bulk("--page", "1")
    until = time.monotonic() + PATIENCE
    while run.poll() is None and len(issued(fixture)) == before:
        assert time.monotonic() < until, "the bulk issue does not get on"
    time.sleep(random.uniform(0, 0.05))  # noqa: S311  # any moment will do
    if run.poll() is None:
        run.send_signal(signal.SIGKILL)
    wait(run)


def wait(run: subprocess.Popen[str]) -> None:
    """Wait for the end of a process, with its output read."""
    run.communicate(timeout=PATIENCE)


def issued(fixture: CommandFixture) -> set[str]:
    """Ids of the codes in the database."""
    return {each["code_id"] for each in fixture.rows("SELECT code_id FROM enterprise_code")}


def check(fixture: CommandFixture) -> None:
    """One code for an enterprise, each with its locator; every whole line is a code of its own."""
    codes = fixture.rows("SELECT uscc, code_id FROM enterprise_code")
    located = fixture.rows("SELECT uscc, code_id FROM enterprise_code_locator")
    assert len({each["uscc"] for each in codes}) == len(codes)
    assert {(c["uscc"], c["code_id"]) for c in codes} == {
        (c["uscc"], c["code_id"]) for c in located
    }
    lines = fixture.file.read_bytes() if fixture.file.exists() else b""
    whole = lines[: lines.rfind(b"\n") + 1].splitlines()
    assert len(whole) == len(set(whole)) <= len(codes)
