"""Readers of delivered files: CSV, NDJSON, Parquet; rejected rows and refused files."""

import gzip
import io
import json
import os
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from gateway.ingest.chunk_reader import MAX_BUFFERED_BYTES, read_chunks
from gateway.ingest.job_store import digest_of_file
from gateway.ingest.readers.decompression import DecompressedFile, FileRefused
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.parquet_support import read_parquet
from gateway.ingest.readers.row_reader import MAX_TAKEN_BYTES
from gateway.ingest.results import RowWarning
from gateway.ingest.rows import columns_of_rows
from gateway.ingest.validation.validate_columns import ColumnValidator
from gateway.ingest.validation.validate_row import RowValidator
from tests.creditfile_builders import CATALOGUE, TODAY, USCC
from tests.ingest_reader import Reader, make_plan, reader_in

HEADER = "统一社会信用代码,处罚决定书文号,处罚类别,罚款金额（万元）,处罚决定日期,facts"
CLEAN = f"{USCC},罚1,警告；罚款,1.2,2026-08-01,未按规定明码标价。"
AS_JSON = {
    "uscc": USCC,
    "document_number": "罚1",
    "kinds": ["警告", "罚款"],
    "fine": "1.2",
    "decided_on": "2026-08-01",
    "facts": "未按规定明码标价。",
}


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes as a file of penalties."""
    return reader_in(tmp_path)


def make_csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def parquet(**columns: Any) -> bytes:
    said = {name: [value] for name, value in AS_JSON.items()} | columns
    made = io.BytesIO()
    pq.write_table(pa.table(said), made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "form", "encoding"),
    [
        (make_csv(CLEAN), "csv", "utf-8"),
        (make_csv(CLEAN).replace("\n", "\r\n"), "csv", "utf-8"),
        ("\ufeff" + make_csv(CLEAN), "csv", "utf-8"),
        (make_csv(CLEAN).encode("gb18030"), "csv", "gb18030"),
        (gzip.compress(make_csv(CLEAN).encode()), "csv", "utf-8"),
        (zstandard.compress(make_csv(CLEAN).encode()), "csv", "utf-8"),
        (zstandard.compress(make_csv(CLEAN).encode()[:40])
         + zstandard.compress(make_csv(CLEAN).encode()[40:]), "csv", "utf-8"),
        ("\n\n" + json.dumps(AS_JSON) + "\n\n", "ndjson", "utf-8"),
        ("\ufeff" + json.dumps(AS_JSON, ensure_ascii=False), "ndjson", "utf-8"),
        (json.dumps(AS_JSON, ensure_ascii=False).encode("gb18030"), "ndjson", "gb18030"),
        (gzip.compress(json.dumps(AS_JSON).encode()), "ndjson", "utf-8"),
        (parquet(), "parquet", "utf-8"),
        (parquet(fine=[Decimal("1.20")], decided_on=[date(2026, 8, 1)]), "parquet", "utf-8"),
        (parquet(facts=pa.array(["未按规定明码标价。"]).dictionary_encode()), "parquet", "utf-8"),
    ],
)  # fmt: skip
def test_one_fact_is_one_record_in_any_format(
    read: Reader, content: bytes | str, form: str, encoding: str
) -> None:
    """CSV, NDJSON and Parquet, compressed or not, with or without a byte order mark."""
    found = read(content, form, encoding=encoding)
    assert (found.refused, found.rejects) == (None, [])
    (line,) = found.lines
    assert line == read(make_csv(CLEAN)).lines[0]
    assert '"kinds":["警告","罚款"]' in line[-3]
    assert '"fine":"1.200000"' in line[-3]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (f"{USCC},罚2,罚款,-1,2026-08-01,x", "fine", "negative"),
        (f"{USCC},罚2,罚款,1,2099-01-01,x", "decided_on", "in the future"),
        (f"{USCC},罚2,罚款,1,2026-08-01", "?", "5 cells in place of 6"),
        (f"{USCC},罚2,罚款,1,2026-08-01,x,y", "?", "7 cells in place of 6"),
        (f"{USCC},罚2,罚款,1,2026-08-01,a\0b", "facts", "has a NUL character"),
        (f"{USCC},,罚款,1,2026-08-01,x", "document_number", "missing"),
        ("330106199001011234,罚2,罚款,1,2026-08-01,x", "uscc",
         "not a unified social credit code of a market entity"),
        (f'{USCC},罚2,罚款,1,2026-08-01,a"b"c"', None, None),
        (f'{USCC},罚2,罚款,1,2026-08-01,"a"b', "?",
         "quotation marks that do not fit, in the lines 3 to 3"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_the_others_are_taken(
    read: Reader, row: str, field: str | None, reason: str | None
) -> None:
    """With row number, field and reason, without the value."""
    found = read(make_csv(CLEAN, row, CLEAN.replace("罚1", "罚3")))
    assert found.refused is None
    wanted = [] if field is None else [("2", field, reason)]
    assert found.rejects == wanted
    assert [line[0] for line in found.lines] == (["1", "3"] if wanted else ["1", "2", "3"])


def test_bytes_that_are_no_characters_reject_their_row(read: Reader) -> None:
    """Undecodable bytes reject their row."""
    broken = CLEAN.replace("罚1", "罚2").encode().replace("明码".encode(), b"\xff\xfe")
    found = read(b"\n".join((make_csv(CLEAN).encode().strip(), broken, b"")))
    assert found.rejects == [("2", "?", "has bytes that are no characters")]
    line = json.dumps(AS_JSON | {"document_number": "罚2"}, ensure_ascii=False).encode()
    broken = line.replace("明码".encode(), b"\xff\xfe")
    found = read(json.dumps(AS_JSON).encode() + b"\n" + broken, "ndjson")
    assert found.rejects == [("2", "?", "not JSON in UTF-8")]
    broken = json.dumps(AS_JSON | {"document_number": "罚@"}, ensure_ascii=False).encode("gb18030")
    found = read(broken.replace(b"@", b"\xff"), "ndjson", encoding="gb18030")
    assert found.rejects == [("1", "?", "not JSON in UTF-8")]


@pytest.mark.parametrize("line", ["{", "[1]", '"a"', "NaN", '{"a":1}{"b":2}', "1"])
def test_a_line_that_is_no_json_object_is_rejected(read: Reader, line: str) -> None:
    """The next row is read."""
    good = json.dumps(AS_JSON)
    found = read(f"{good}\n{line}\n{good}\n", "ndjson")
    assert [each[0] for each in found.rejects] == ["2"]
    assert found.rows == 3


@pytest.mark.parametrize(
    ("content", "form", "encoding", "sentence"),
    [
        (make_csv(CLEAN).encode("gb18030"), "csv", "utf-8", "say --encoding gb18030"),
        (json.dumps(AS_JSON, ensure_ascii=False).encode("gb18030"), "ndjson", "utf-8",
         "say --encoding gb18030"),
        (make_csv(CLEAN).encode(), "csv", "gb18030", "is UTF-8, not GB 18030"),
        ("\ufeff" + make_csv(CLEAN), "csv", "gb18030", "is UTF-8, not GB 18030"),
        (make_csv(CLEAN).encode("utf-16"), "csv", "utf-8", "is UTF-16"),
        ("", "csv", "utf-8", "no header"),
        ("\n\n", "csv", "utf-8", "no header"),
        (CLEAN, "csv", "utf-8", "no such field as in column 1, 2, 3"),
        (make_csv(CLEAN, header=HEADER.replace("facts", "鞋码")), "csv", "utf-8",
         "column “鞋码”. Accepted: 统一社会信用代码、处罚决定书文号、"),
        (make_csv(CLEAN, header=HEADER.replace("facts", "fine")), "csv", "utf-8", "names fine twice"),
        (make_csv("1", header="document_number"), "csv", "utf-8", "lacks decided_on, kinds, uscc"),
        (b"PK\x03\x04" + bytes(100), "csv", "utf-8", "ZIP"),
        (b"PAR1" + bytes(100), "csv", "utf-8", "not what its name says"),
        (make_csv(CLEAN), "parquet", "utf-8", "not what its name says"),
        (b"PAR1" + bytes(100) + b"PAR1", "parquet", "utf-8", "no Parquet file"),
        (parquet()[:-30], "parquet", "utf-8", "no Parquet file"),
        (parquet(fine=[True]), "parquet", "utf-8", "fine has the type bool"),
        (parquet(shoe_size=["43"]), "parquet", "utf-8", "column “shoe_size”"),
        (json.dumps([AS_JSON]), "ndjson", "utf-8", "JSON array"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_was_said_is_refused_whole(
    read: Reader, content: bytes | str, form: str, encoding: str, sentence: str
) -> None:
    """With one sentence, before any row is taken."""
    found = read(content, form, encoding=encoding)
    assert found.refused is not None
    assert sentence in found.refused
    assert found.rows == 0
    assert USCC not in found.refused


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("decided_on", pa.array([20_000, 2**31 - 1, 20_001], pa.int32()).cast(pa.date32())),
        ("decided_on", pa.array([0, 2**60, 0]).view(pa.date64())),
        ("source_time", pa.array([1, 2**55, 1], pa.timestamp("ms", tz="UTC"))),
        ("source_time", pa.array([0, 1, 0], pa.timestamp("ns", tz="UTC"))),
        ("facts", pa.Array.from_buffers(
            pa.string(), 3, pa.array([b"a", b"\xff", b"c"], pa.binary()).buffers())),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_value_of_its_type_rejects_its_row(
    read: Reader, name: str, cells: pa.Array
) -> None:
    """The rows around it are taken."""
    rows = {key: [value] * 3 for key, value in AS_JSON.items()}
    found = read(parquet(**rows | {"document_number": list("abc"), name: cells}), "parquet")
    assert found.refused is None
    assert found.rejects == [("2", name, "cannot be read")]
    assert [line[0] for line in found.lines] == ["1", "3"]


def test_a_few_bytes_do_not_stand_for_millions_of_rows(read: Reader) -> None:
    """Constant columns compress to almost nothing."""
    same = {
        name: pa.array([value]).take(pa.array([0] * 1_000_001, pa.int8()))
        for name, value in AS_JSON.items()
        if name not in {"kinds", "facts", "fine"}
    }
    made = io.BytesIO()
    pq.write_table(pa.table(same | {"kinds": pa.array([["罚款"]] * 1_000_001)}), made)
    found = read(made.getvalue(), "parquet")
    assert found.refused is not None
    assert "more rows than one of its size" in found.refused


def test_the_error_of_a_type_is_short(read: Reader) -> None:
    """The sentence is stored and listed."""
    nested = pa.array([{f"{n}".zfill(100): 1 for n in range(1000)}])
    found = read(parquet(facts=nested), "parquet")
    assert found.refused is not None
    assert "facts has the type struct" in found.refused
    assert len(found.refused) < 150


def test_a_header_of_one_name_over_and_over_is_refused_at_once(read: Reader) -> None:
    """In linear time."""
    found = read(",".join(["key"] * 250_000) + "\n")
    assert found.refused == "The header names key twice."


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_rows_before_a_truncation_are_kept(read: Reader, pack: Callable[[bytes], bytes]) -> None:
    """A truncated compressed file is detected, and its last line is not taken."""
    rows = (
        f"{USCC},罚{n * 7919 % 1000003},罚款,1,2026-08-01,{n * 31 % 997}" for n in range(60_000)
    )
    packed = pack(make_csv(*rows).encode())
    found = read(packed[: len(packed) // 2], chunk_rows=500)
    assert found.refused is not None
    assert "breaks off" in found.refused
    assert 0 < found.rows < 60_000
    assert found.rejects == []


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_decompression_bomb_does_not_go_off(read: Reader, pack: Callable[[bytes], bytes]) -> None:
    """Refused by its ratio."""
    lines = pack(make_csv(CLEAN).encode() + (b" " * (1 << 19) + b"\n") * 180)
    found = read(lines)
    assert found.refused is not None
    assert "more than 250 times its size" in found.refused


def test_a_line_without_end_is_refused_in_a_csv_and_skipped_in_ndjson(read: Reader) -> None:
    """In CSV it may be inside a quotation."""
    long = "字" * 700_000
    found = read(make_csv(CLEAN, f"{USCC},罚2,罚款,1,2026-08-01,{long}", CLEAN))
    assert found.refused is not None
    assert "longer than 1,048,576 bytes" in found.refused
    good = json.dumps(AS_JSON)
    found = read(f'{good}\n{{"a":"{long}"}}\n{good}\n', "ndjson")
    assert found.rejects == [("2", "?", "a line longer than 1048576 bytes")]
    assert found.rows == 3


def test_a_quotation_that_is_never_closed_is_said_with_its_lines(read: Reader) -> None:
    """With the range of its lines."""
    found = read(make_csv(CLEAN, f'{USCC},罚2,罚款,1,2026-08-01,"open', CLEAN, CLEAN))
    assert found.rejects == [("2", "?", "quotation marks that do not fit, in the lines 3 to 5")]


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(read: Reader) -> None:
    """RFC 4180."""
    found = read(make_csv(f'{USCC},罚2,罚款,1,2026-08-01,"甲,乙""丙""\n丁"'))
    assert found.rejects == []
    assert json.loads(found.lines[0][-3].replace("\\\\", "\\"))["facts"] == '甲,乙"丙"\n丁'


def test_private_use_characters_of_gb18030_become_what_they_are_now(read: Reader) -> None:
    """0xFE59 was assigned after the first edition."""
    named = "名".encode("gb18030") + b"\xfe\x59"
    content = make_csv(CLEAN.replace("未按规定明码标价。", "名@")).encode("gb18030")
    found = read(content.replace("名@".encode("gb18030"), named), encoding="gb18030")
    assert "名\u9fb4" in found.lines[0][-3]


def test_rows_have_the_same_numbers_whenever_the_file_is_read(read: Reader) -> None:
    """Committed rows are skipped; later chunks are the same."""
    rows = [f"{USCC},罚{n},罚款,1,2026-08-01,x" for n in range(25)]
    rows[7], rows[13] = "bad", ""
    whole = read(make_csv(*rows), chunk_rows=10)
    rest = read(make_csv(*rows), chunk_rows=10, skip=10)
    assert [each.rows for each in whole.chunks] == [10, 10, 4]
    assert [each.rows for each in rest.chunks] == [10, 4]
    assert rest.lines == [line for line in whole.lines if int(line[0]) > 10]
    assert whole.rejects == [("8", "?", "1 cells in place of 6")]


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("skip", [0, 10, 13])
def test_two_lanes_read_in_turn_what_one_reads(read: Reader, form: str, skip: int) -> None:
    """Chunk borders do not depend on the reader or the starting point."""
    rows = [AS_JSON | {"document_number": f"罚{n}"} for n in range(47)]
    content = {
        "csv": make_csv(*(CLEAN.replace("罚1", f"罚{n}") for n in range(47))).encode(),
        "ndjson": "\n".join(map(json.dumps, rows)).encode(),
        "parquet": parquet(**{name: [row[name] for row in rows] for name in AS_JSON}),
    }[form]
    one = read(content, form, chunk_rows=10, skip=skip)
    lanes = [read(content, form, chunk_rows=10, skip=skip, reader=n, readers=2) for n in (0, 1)]
    both = [each for lane in lanes for each in lane.lines]
    assert sorted(both, key=lambda line: int(line[0])) == one.lines
    assert [each.rows for each in one.chunks] == [10 - skip % 10, *[10] * (3 - skip // 10), 7]
    assert {len(lane.chunks) for lane in lanes} <= {2, 3}


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
@pytest.mark.parametrize("small", [0, 100])
def test_a_chunk_of_large_rows_comes_in_parts(read: Reader, form: str, small: int) -> None:
    """The last part lets the next reader continue."""
    text = "字" * 48_000
    rows: list[dict[str, Any]] = [
        {**AS_JSON, "document_number": f"罚{n}", **dict.fromkeys(("facts", "content"), large)}
        for n, large in enumerate(["小"] * small + [text] * (350 - small))
    ]
    content = (
        parquet(**{name: [row[name] for row in rows] for name in rows[0]})
        if form == "parquet"
        else "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    )
    found = read(content, form, chunk_rows=250)
    ends = list(accumulate(each.rows for each in found.chunks))
    assert len(ends) > 2
    assert [n for n, of in zip(ends, found.chunks, strict=True) if of.is_last_part] == [250, 350]
    assert (
        max(len(each.payload) for each in found.chunks) < MAX_BUFFERED_BYTES + 2 * MAX_TAKEN_BYTES
    )
    assert [int(line[0]) for line in found.lines] == sorted(range(1, 351))


@pytest.mark.parametrize("good", [0, 1, 7, 8, 9, 31, 32, 496, 500, 516])
def test_every_row_before_a_failure_is_taken(read: Reader, good: int) -> None:
    """At any position."""
    rows = [CLEAN.replace("罚1", f"罚{n}") for n in range(good)]
    torn = read(make_csv(*rows, f"{USCC}," + "x" * (3 << 20)))
    assert (torn.rows, len(torn.lines)) == (good, good)
    assert torn.refused is not None
    assert f"row {good + 1} " in torn.refused
    lines = [json.dumps(AS_JSON | {"document_number": f"罚{n}"}) + "\n" for n in range(good)]
    broken = gzip.compress("".join(lines).encode())[:-8]
    if good:
        assert read(broken, "ndjson").rows == good


def test_rows_that_do_not_say_whose_they_are(read: Reader) -> None:
    """Each is rejected."""
    row = {name: value for name, value in AS_JSON.items() if name != "uscc"}
    found = read("\n".join([json.dumps(row)] * 20), "ndjson")
    assert found.rejects == [(f"{n}", "uscc", "missing") for n in range(1, 21)]


def test_stored_values_of_a_file_are_truncated() -> None:
    """Values are truncated."""
    judge = ColumnValidator(RowValidator(CATALOGUE, "penalty", today=TODAY).rules)
    rows = [{**AS_JSON, "document_number": f"罚{n}", "fine": f"1.{'0' * 90_000}"} for n in range(9)]
    columns = columns_of_rows(rows)
    assert columns is not None
    lot = judge.validate(columns)
    assert lot is not None
    assert set(lot.fields["fine"]) == {"1.000000"}
    assert not judge._known["fine"]


def test_warnings_are_counted_by_kind(read: Reader) -> None:
    """Once for each row and kind."""
    facts = "张某330106199001011234、李某330106199001011234"
    found = read(make_csv(*(f"{USCC},罚{n % 2},罚款,1,2026-08-01,{facts}" for n in range(3))))
    assert found.warned == {RowWarning.ID_NUMBER: 3, RowWarning.SUPERSEDED: 1}
    assert "330106199001011234" not in f"{found.lines}"


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """No pipes, devices or folders."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(FileRefused):
            next(read_chunks(make_plan(path)))
        with pytest.raises(FileRefused):
            digest_of_file(path)


def test_a_gateway_without_pyarrow_refuses_a_parquet_file_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra `[parquet]` is optional; CSV and NDJSON need nothing of it."""
    path = tmp_path / "licence.parquet"
    pq.write_table(pa.table({"uscc": ["91330106MA2CF0A00X"]}), path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if it were not installed
    with DecompressedFile(path) as source, pytest.raises(FileRefused, match=r"CSV or NDJSON"):
        read_parquet(source, HeaderReader(CATALOGUE, "licence"))
