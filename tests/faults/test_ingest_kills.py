"""Ingest killed and repeated: the result equals that of an undisturbed run.

Three moments in every run of the tests, twenty under FULL=1.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.ingest_fixture import (
    IngestFixture,
    children_of,
    licences,
    make_ingest_fixture,
    make_source_database,
)
from tests.waiting import PATIENCE

KILLS: Final = 20 if os.environ.get("FULL") else 3
ROWS: Final = 4_000 * KILLS if os.environ.get("FULL") else 6_000


def delivered() -> Iterator[dict[str, Any]]:
    """Licences, some rejected, some masked, some delivered twice with a change."""
    for number, row in enumerate(licences(ROWS)):
        yield row
        if number % 50 == 7:
            yield {**row, "decided_on": "2099-01-01"}
        if number % 40 == 9:
            yield {**row, "content": "持证人330106199001011234"}
    for row in licences(ROWS // 10):
        yield {**row, "name": "后来的名称"}


@pytest.fixture
def fixtures(postgres_url: str, tmp_path: Path) -> tuple[IngestFixture, IngestFixture]:
    """Two fixtures: one whose runs are killed, one undisturbed."""
    for name in ("disturbed", "calm"):
        (tmp_path / name).mkdir()
    disturbed, calm = (
        make_ingest_fixture(make_source_database(postgres_url), tmp_path / name)
        for name in ("disturbed", "calm")
    )
    return disturbed, calm


def test_a_killed_ingest_that_is_run_again_leaves_what_a_calm_one_leaves(
    fixtures: tuple[IngestFixture, IngestFixture],
) -> None:
    """Rows, history, counts and rejects are equal; no process is left."""
    disturbed, calm = fixtures
    for fixture in fixtures:
        fixture.write("day1.ndjson", delivered())
    chance = random.Random()  # noqa: S311  # any moments
    total = ROWS + ROWS // 50 + ROWS // 40 + ROWS // 10
    moments = sorted(chance.randrange(total) for _ in range(KILLS))
    for moment in moments:
        _killed_after(disturbed, moment, chance)
    assert disturbed.ingest("day1.ndjson", "--chunk-rows", "500").status == 1
    assert calm.ingest("day1.ndjson", "--chunk-rows", "500").status == 1
    for table in ("record", "record_history"):
        assert disturbed.content(table) == calm.content(table), moments
    (one,), (other,) = (_counts(fixture) for fixture in fixtures)
    assert one == other
    assert one["state"] == "done"
    assert one["rows"] > ROWS
    for name in ("rejects", "warnings"):
        listed = [(d.folder / f"day1.ndjson.licence.{name}.csv").read_text() for d in fixtures]
        assert listed[0] == listed[1]


def _counts(fixture: IngestFixture) -> list[dict[str, Any]]:
    found = fixture.rows(
        "SELECT rows, created, updated, unchanged, rejected, warnings, rejects_bytes, masked_bytes, state"
        " FROM intake_job"
    )
    return [dict(row) for row in found]


def _killed_after(fixture: IngestFixture, rows: int, chance: random.Random) -> None:
    """Run until so many rows are committed and a moment longer, then SIGKILL."""
    run = fixture.start("day1.ndjson", "--chunk-rows", "500")
    until = time.monotonic() + PATIENCE
    while _taken(fixture) < rows and run.poll() is None:
        assert time.monotonic() < until, "the ingest does not get on"
        time.sleep(0.02)
    time.sleep(chance.random() * 0.3)
    workers = children_of(run.pid)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=PATIENCE)
    for each in workers:
        while _is_there(each):
            assert time.monotonic() < until, "a process was left behind"
            time.sleep(0.05)


def _taken(fixture: IngestFixture) -> int:
    found = fixture.rows("SELECT rows FROM intake_job")
    return int(found[0]["rows"]) if found else -1


def _is_there(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


# Larger than what a pipe and the command hold: a reader that is ahead is stuck in the middle of a chunk.
WIDE: Final = 12_000


def wide() -> Iterator[dict[str, Any]]:
    """Licences with a long text."""
    for row in licences(WIDE):
        yield {**row, "content": f"{row['number']}的内容" * 60}


@pytest.fixture
def fixture(postgres_url: str, tmp_path: Path) -> IngestFixture:
    """A fixture with a large file."""
    fixture = make_ingest_fixture(make_source_database(postgres_url), tmp_path)
    fixture.write("wide.ndjson", wide())
    return fixture


def test_a_reader_that_dies_stops_the_ingest_which_goes_on_when_it_is_run_again(
    fixture: IngestFixture,
) -> None:
    """The command ends with one sentence."""
    with fixture.held("wide.ndjson", "--chunk-rows", "500", beyond=500) as run:
        for each in children_of(run.pid)[:1]:
            os.kill(each, signal.SIGKILL)
    _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode == 2
    assert "The process that read the file ended" in said
    assert "What came before it was kept" in said
    assert 0 < _taken(fixture) < WIDE
    again = fixture.ingest("wide.ndjson", "--chunk-rows", "500")
    assert (again.status, _taken(fixture)) == (0, WIDE)


def test_an_ingest_that_is_interrupted_ends_and_goes_on_when_it_is_run_again(
    fixture: IngestFixture,
) -> None:
    """SIGINT ends the command and its readers."""
    with fixture.held("wide.ndjson", "--chunk-rows", "500", beyond=500) as run:
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=PATIENCE)
    assert run.returncode != 0
    assert "stopped; the same command goes on where it was" in said
    again = fixture.ingest("wide.ndjson", "--chunk-rows", "500")
    assert (again.status, _taken(fixture)) == (0, WIDE)
