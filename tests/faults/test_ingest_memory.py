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
import xlsxwriter

from tests.ingest_fixture import (
    IngestFixture,
    children_of,
    licences,
    make_ingest_fixture,
    make_source_database,
    make_uscc,
)
from tests.sampling import FULL, sampled
from tests.workbook_builders import raw_cell, raw_workbook, sheet_rows

WORKBOOK_ROWS: Final = sampled(10_000, full=100_000)
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


def test_a_large_workbook_is_read_in_bounded_memory(fixture: IngestFixture) -> None:
    """Rows of fifteen columns; 100,000 of them under FULL=1."""
    names = "uscc number name category certificate certificate_number content decided_on valid_from"
    header = [
        *names.split(),
        "valid_to",
        "authority",
        "authority_uscc",
        "data_source",
        "备注",
        "序号",
    ]
    book = xlsxwriter.Workbook(fixture.folder / "day1.xlsx", {"constant_memory": True})
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy/m/d"})
    sheet.write_row(0, 0, header)
    for row in range(1, WORKBOOK_ROWS + 1):
        texts = (
            make_uscc(row),
            f"浙许{row}",
            "食品经营许可",
            "普通",
            f"证书{row}",
            f"JY{row:014}",
            "热食",
        )
        sheet.write_row(row, 0, texts)
        for column in (7, 8, 9):
            sheet.write_number(row, column, 45_000 + row % 365, day)
        sheet.write_row(row, 10, ("某市监局", "11330106002490007A", "某市监局", f"备注{row}", row))
    book.close()
    peak, said = peak_of(fixture, "day1.xlsx")
    assert f"{WORKBOOK_ROWS:,} rows: {WORKBOOK_ROWS:,} created" in said
    assert peak < MOST // 2


if FULL:  # a minute of a processor

    def test_a_sheet_as_large_as_one_may_be_is_read_in_bounded_memory(
        fixture: IngestFixture,
    ) -> None:
        """Three million cells, whose texts have 190 MiB, in ten megabytes."""
        strings = "".join(f"<si><t>{n:04}{'字' * 20}</t></si>" for n in range(997))
        head = "".join(map(raw_cell, ("uscc", "number", *("备注" for _ in range(13)))))
        rows = (
            "".join(f'<c t="s"><v>{(row * 15 + place) * 7919 % 997}</v></c>' for place in range(15))
            for row in range(199_999)
        )
        fixture.write("day1.xlsx", raw_workbook(sheet_rows([head, *rows]), strings))
        peak, said = peak_of(fixture, "day1.xlsx")
        assert "199,999 rejected" in said
        assert peak < MOST
