"""Sheets of a bulk issue: every code once, resumed, checked, and each character drawn or named."""

import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
import pypdfium2
import pytest
import zxingcpp

from gateway.cli.codes.sheets import sheets as sheets_command
from gateway.codes.bulk.line import bulk_line
from gateway.codes.ids import code_id_from, code_url, phrase_from
from gateway.codes.model import Code
from gateway.codes.printing.sheet_lines import InvalidSheetFileError, SheetLine, scan_file
from gateway.codes.printing.sheets import (
    MANIFEST,
    DrawnSheets,
    OtherRunError,
    SheetPlan,
    draw_sheets,
)
from gateway.pages.chinese_font import find_font

FONT: Final = find_font(None)
pytestmark = pytest.mark.skipif(FONT is None, reason="no Chinese font is installed")
ISSUER: Final = "https://credit.zj.gov.cn"
NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
PER_FILE: Final = 2
"""Sheets of a file in these tests."""


def a_code(number: int, **changed: Any) -> Code:
    randomness = Random(number)  # noqa: S311  # not for secrets
    made: dict[str, Any] = {
        "uscc": "91330106MAHD08319M",
        "code_id": code_id_from(randomness.randbytes(16)),
        "sign_name": f"云栖小店{number}",
        "label": f"门{number}",
        "check_phrase": phrase_from(randomness.randbytes(2)),
        "printed_name": "杭州云栖数据科技有限公司",
        "issued_at": NOW,
    }
    return Code(**(made | changed))


def write_lines(folder: Path, *codes: Code) -> Path:
    file = folder / "codes.ndjson"
    file.write_bytes(b"".join(bulk_line(each, ISSUER) for each in codes))
    return file


def a_plan(file: Path, **changed: Any) -> SheetPlan:
    assert FONT is not None
    plan: dict[str, Any] = {
        "file": file,
        "folder": file.parent / "sheets",
        "font": FONT,
        "now": NOW,
        "sheets_per_file": PER_FILE,
    }
    return SheetPlan(**(plan | changed))


def draw(plan: SheetPlan) -> DrawnSheets:
    return draw_sheets(plan, scan_file(plan.file, plan.codes_per_part))


def codes_on(pdf: Path) -> list[set[str]]:
    """The addresses that are read off each page at 150 dots per inch."""
    document = pypdfium2.PdfDocument(pdf)
    pages = []
    for page in document:
        picture = page.render(scale=150 / 72, grayscale=True).to_pil()
        pixels = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
        pages.append({each.text for each in zxingcpp.read_barcodes(pixels)})
    document.close()
    return pages


def rows_of(index: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(index.read_text("utf-8-sig"))))


def test_every_code_is_on_its_place_once_and_a_broken_run_goes_on(tmp_path: Path) -> None:
    """In order, with an index; only what is missing is drawn anew."""
    codes = [a_code(number) for number in range(19)]
    plan = a_plan(write_lines(tmp_path, *codes))
    heard: list[int] = []
    drawn = draw_sheets(plan, scan_file(plan.file, plan.codes_per_part), heard.append)
    assert (drawn.codes, drawn.files, sum(each.stickers for each in drawn.parts)) == (19, 2, 19)
    assert heard[0] == 0
    assert heard[-1] == 19
    files = sorted(plan.folder.glob("*.pdf"))
    addresses = [code_url(ISSUER, each.code_id) for each in codes]
    assert [page for file in files for page in codes_on(file)] == [
        set(addresses[start : start + 8]) for start in range(0, 19, 8)
    ]
    rows = [row for file in files for row in rows_of(file.with_suffix(".csv"))]
    assert [row["code_id"] for row in rows] == [each.code_id for each in codes]
    assert (rows[9]["sheet"], rows[9]["place"], rows[9]["label"]) == ("2", "2", "门9")
    first, second = (each.stat().st_mtime_ns for each in files)
    files[1].unlink()
    heard.clear()
    again = draw_sheets(plan, scan_file(plan.file, plan.codes_per_part), heard.append)
    assert [each.stickers for each in again.parts] == [3]
    assert heard == [16, 19]
    assert files[0].stat().st_mtime_ns == first
    assert files[1].stat().st_mtime_ns > second
    assert not [each for each in plan.folder.iterdir() if "partial" in each.name]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[DrawnSheets, Path]:
    """A sheet of a plain code, an expired one, one with a rare character and one with a formula."""
    codes = (
        a_code(1, label="保险柜旁", batch_id="bat_secret"),
        a_code(2, expires_at=NOW - timedelta(days=1)),
        a_code(3, sign_name="\U000323b0记"),
        a_code(4, sign_name="=1+1"),
    )
    plan = a_plan(write_lines(tmp_path_factory.mktemp("mixed"), *codes))
    return draw(plan), plan.folder


def test_what_is_not_public_is_in_no_pdf(mixed: tuple[DrawnSheets, Path]) -> None:
    """The label, the code of the enterprise and the batch are for the index alone."""
    [pdf] = mixed[1].glob("*.pdf")
    said = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    assert "云栖小店1" in said
    for each in ("保险柜", a_code(1).uscc, "bat_secret"):
        assert each not in said
        assert each.encode() not in pdf.read_bytes()


def test_expired_codes_are_left_out_and_missing_characters_named(
    mixed: tuple[DrawnSheets, Path],
) -> None:
    """The index says which character the font has not."""
    [part] = mixed[0].parts
    assert (part.stickers, part.expired, part.with_missing) == (3, 1, 1)
    [index] = mixed[1].glob("*.csv")
    assert [row["missing"] for row in rows_of(index)] == ["", "U+323B0", ""]


def test_an_index_runs_no_formula(mixed: tuple[DrawnSheets, Path]) -> None:
    """A sign that begins with an equals sign is text."""
    [index] = mixed[1].glob("*.csv")
    assert rows_of(index)[2]["sign_name"] == "'=1+1"


def test_a_folder_takes_the_sheets_of_one_file(tmp_path: Path) -> None:
    """Another file, or other portions, would mix with them."""
    plan = a_plan(write_lines(tmp_path, a_code(1)))
    draw(plan)
    held = json.loads((plan.folder / MANIFEST).read_text())
    assert (held["codes"], held["origin"]) == (1, ISSUER)
    with pytest.raises(OtherRunError):
        draw(a_plan(plan.file, sheets_per_file=3))
    write_lines(tmp_path, a_code(2))
    with pytest.raises(OtherRunError):
        draw(plan)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"code_id": "short"}, "code_id"),
        ({"address": code_url(ISSUER, "B" * 26)}, "another code"),
        ({"address": "javascript:alert(1)"}, "address"),
        ({"check_phrase": None}, "check_phrase"),
        ({"sign_name": ""}, "sign_name"),
        ({"address": f"https://evil.example/E/{'A' * 26}", "code_id": "A" * 26}, "another gateway"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_drawn(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    """By its number and member, repeating nothing of it; one file is of one gateway."""
    good = bulk_line(a_code(1), ISSUER)
    bad = orjson.dumps(orjson.loads(bulk_line(a_code(2), ISSUER)) | changed)
    file = tmp_path / "codes.ndjson"
    for content in (good + bad, good + bad + b"\n" + good):
        file.write_bytes(content)
        with pytest.raises(InvalidSheetFileError, match=rf"Line 2.*{named}"):
            scan_file(file, 16)
    for content in (b"", b"{}\n", b'"text"\n', good[:-9], b'{"code_id": "' + b"A" * 70_000):
        file.write_bytes(content)
        with pytest.raises(InvalidSheetFileError):
            scan_file(file, 16)


def test_lines_of_the_bulk_issue_are_read_whole() -> None:
    """Writer and reader agree on the members."""
    code = a_code(1, expires_at=NOW)
    read = SheetLine.model_validate_json(bulk_line(code, ISSUER))
    assert (read.code_id, read.sign_name, read.name) == (
        code.code_id,
        code.sign_name,
        code.printed_name,
    )
    assert (read.label, read.check_phrase, read.expires_at) == (code.label, code.check_phrase, NOW)


def test_the_command_says_what_is_drawn_and_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence, with status 2 where nothing can be drawn."""
    file = write_lines(tmp_path, a_code(1), a_code(2, sign_name="\ue000"))
    out = tmp_path / "out"
    sheets_command(file, out, 50, FONT, 1)
    said = capsys.readouterr().out
    assert f"2 stickers of {ISSUER} drawn; 1 file is in {out}" in said
    assert "〓: 1" in said
    file.write_bytes(b"{}\n")
    with pytest.raises(SystemExit):
        sheets_command(file, out, 50, FONT, 1)
    with pytest.raises(SystemExit):
        sheets_command(file, out, 50, tmp_path / "none.ttf", 1)
    assert "font" in capsys.readouterr().err


def test_all_cores_draw_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many processes as cores that may be used, and never more than parts."""
    asked: list[int] = []

    class Pool:
        def __init__(self, processes: int, *_: object, **__: object) -> None:
            asked.append(processes)
            raise RuntimeError

    monkeypatch.setattr("gateway.codes.printing.sheets.ProcessPoolExecutor", Pool)
    monkeypatch.setattr("gateway.codes.printing.sheets.write_subset", lambda whole, *_: whole)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)))
    codes = [a_code(number) for number in range(8 * PER_FILE * 5)]
    plan = a_plan(write_lines(tmp_path, *codes))
    for processes in (0, 2, 9):
        with pytest.raises(RuntimeError):
            draw(a_plan(plan.file, processes=processes))
    assert asked == [3, 2, 5]
