"""Memory bound of ingest for large and unusual files."""

import contextlib
import gzip
import os
import re
import time
from pathlib import Path
from typing import Final

import orjson
import pytest

from tests.ingest_fixture import (
    IngestFixture,
    children_of,
    licences,
    make_ingest_fixture,
    make_source_database,
    make_uscc,
)

MOST: Final = 1_000_000_000
_PEAK: Final = re.compile(r"VmHWM:\s+(\d+) kB")


@pytest.fixture
def fixture(postgres_url: str, tmp_path: Path) -> IngestFixture:
    """A fixture on a database of its own."""
    return make_ingest_fixture(make_source_database(postgres_url), tmp_path)


def peak_of(fixture: IngestFixture, *arguments: str, **options: str) -> tuple[int, str]:
    """Peak memory of the command and its reader, and the output.

    VmHWM, since `ru_maxrss` includes the process before `exec`.
    """
    run = fixture.start(*arguments, **options)
    peaks: dict[int, int] = {}
    while run.poll() is None:
        for pid in (run.pid, *children_of(run.pid)):
            peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
        time.sleep(0.02)
    said = run.communicate()
    return sum(peaks.values()), "".join(said)


def _peak(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0


def test_a_line_of_a_gigabyte_is_passed_over(fixture: IngestFixture) -> None:
    """The rows around it are ingested."""
    path = fixture.write("day1.ndjson", licences(2))
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.truncate(file.tell() + (1 << 30))  # a hole: NUL bytes without a line's end
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + orjson.dumps(licences(3)[2]) + b"\n")
    peak, said = peak_of(fixture, "day1.ndjson")
    assert "4 rows: 3 created, 0 updated, 0 unchanged, 1 rejected" in said
    assert peak < MOST


def test_rows_as_large_as_rows_may_be_come_in_smaller_chunks(fixture: IngestFixture) -> None:
    """Six hundred rows of 256 KiB each."""
    text = "字" * 49_000
    fields = ("facts", "legal_basis", "content")
    rows = (
        {
            "uscc": make_uscc(number),
            "document_number": f"罚{number}",
            "kinds": ["罚款"],
            "decided_on": "2026-01-01",
            **dict.fromkeys(fields, text),
        }
        for number in range(600)
    )
    fixture.write("day1.ndjson", rows)
    peak, said = peak_of(fixture, "day1.ndjson", dataset="penalty")
    assert "600 rows: 600 created" in said
    assert peak < 0.7 * MOST


def test_a_bomb_is_refused_in_little_memory(fixture: IngestFixture) -> None:
    """A gigabyte of zeros compressed to a megabyte."""
    content = b" " * (1 << 19) + b"\n"
    fixture.write("day1.csv.gz", gzip.compress(b"uscc,number\n" + content * 600))
    peak, said = peak_of(fixture, "day1.csv.gz")
    assert "more than 250 times its size" in said
    assert peak < MOST // 2


@pytest.mark.parametrize("ending", ["ndjson", "csv"])
def test_rows_of_very_many_cells_are_looked_at_one_by_one(
    fixture: IngestFixture, ending: str
) -> None:
    """Forty rows of a hundred thousand members among normal ones."""
    if ending == "csv":
        rows = [
            f"{make_uscc(n)},许{n},{'x,' * 100_000}" if n % 3 else f"{make_uscc(n)},许{n}"
            for n in range(60)
        ]
        fixture.write("day1.csv", "\n".join(["uscc,number", *rows]))
    else:
        many = {f"m{n}": n for n in range(100_000)}
        fixture.write(
            "day1.ndjson", [each | (many if n % 3 else {}) for n, each in enumerate(licences(60))]
        )
    peak, said = peak_of(fixture, f"day1.{ending}")
    assert "60 rows: 20 created, 0 updated, 0 unchanged, 40 rejected" in said
    assert peak < MOST // 2
