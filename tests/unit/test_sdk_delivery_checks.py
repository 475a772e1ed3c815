"""`xinqiao deliver` without a gateway: refused files and options, sizes of parts, foreign names."""

from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import python_calamine
import typer
import xlsxwriter

from gateway.ingest.readers.column_map import load_column_map
from gateway.ingest.readers.decompression import FileRefused
from tests.delivery_builders import delivery_of
from xinqiao import errors
from xinqiao._core.api import uploads
from xinqiao._core.api.uploads import LARGEST_PART, SMALLEST_PART, next_part_size
from xinqiao._core.wire.json_reader import Reader
from xinqiao.cli import _printing, _show
from xinqiao.cli._errors import InputError
from xinqiao.cli._language import Language
from xinqiao.cli.deliver import delivery, summary
from xinqiao.cli.deliver.column_map import read_column_map
from xinqiao.cli.deliver.delivery import Delivery
from xinqiao.cli.deliver.reporting import Reported, report_rows
from xinqiao.cli.deliver.row_notes import RowNote


def test_what_is_known_to_fail_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """With a sentence for each case."""
    good, empty = tmp_path / "good.csv", tmp_path / "empty.csv"
    good.write_text("uscc\n", encoding="utf-8")
    empty.touch()
    columns = tmp_path / "map.yaml"
    columns.write_text("a: uscc\n", encoding="utf-8")
    existing = tmp_path / "good.csv.rejected.xlsx"
    cases: tuple[tuple[Path, dict[str, Path], str], ...] = (
        (good, {"report": tmp_path / "no" / "r.xlsx"}, "--report"),
        (good, {"report": columns}, "exists"),
        (good, {"columns": tmp_path / "no.yaml"}, "no such file"),
        (tmp_path / "no.csv", {}, "no such file"),
        (tmp_path, {}, "is a folder"),
        (empty, {}, "is empty"),
    )
    for path, changed, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            delivery_of(path, **changed)
    for name in ("link", "hard"):
        report = tmp_path / name
        report.hardlink_to(good) if name == "hard" else report.symlink_to(good)
        with pytest.raises(InputError, match="is a file that is read here"):
            delivery_of(good, report=report, overwrite=True)
    for changed in ({"report": good}, {"report": columns, "columns": columns}):
        with pytest.raises(InputError, match="is a file that is read here"):
            delivery_of(good, overwrite=True, **changed)
    assert good.read_text(encoding="utf-8") == "uscc\n"
    existing.touch()
    with pytest.raises(InputError, match="--force"):
        delivery_of(good)
    assert delivery_of(good, overwrite=True).report == existing


def report_of(delivered: Delivery, state: str, rows: int) -> Reported:
    """The report on row 3 of a job in this state, in which the gateway counted so many rows."""
    entry = {"row": 3, "field": "kinds", "column": "处罚类别", "reason": "r"}
    lists = {"rejects": [RowNote.read(Reader.of(entry, "rejects"))], "warnings": []}
    client: Any = SimpleNamespace(
        issuer="https://gateway.test", client_id="c", job_list=lambda _, name, **__: lists[name]
    )
    job: Any = SimpleNamespace(job_id="upl_1", state=state, rows=rows)
    return report_rows(client, delivered, job)


@pytest.mark.parametrize(
    ("state", "rows", "obstacle"),
    [("stopped", 3, "workbook_stopped"), ("stopped", 2, "workbook_stopped"),
     ("done", 3, "workbook_rows_differ"), ("done", 2, None)],
)  # fmt: skip
def test_a_workbooks_rows_are_joined_only_if_they_are_counted_alike(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    rows: int,
    obstacle: str | None,
) -> None:
    """A row of nothing but an error has a number at the gateway, and none here."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "own.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["统一社会信用代码", "处罚类别"])
        sheet.write_formula(1, 0, "=#REF!", value="#REF!")
        sheet.write_row(2, 0, ["91", "a"])
        sheet.write_row(3, 0, ["92", "b"])
    reported = report_of(delivery_of(path), state, rows)
    assert reported.obstacle == obstacle
    book = python_calamine.CalamineWorkbook.from_path(str(path.with_name("own.xlsx.rejected.xlsx")))
    report = list(book.get_sheet_by_index(0).iter_rows())
    assert {len(each) for each in report} == {4 if obstacle else 6}


def test_parts_grow_on_a_fast_line_and_shrink_on_a_slow_one() -> None:
    """Between 1 and 16 MiB, so that each arrives within the gateway's five minutes."""
    assert next_part_size(SMALLEST_PART, 0.1) == 2 * SMALLEST_PART
    assert next_part_size(LARGEST_PART, 0.1) == LARGEST_PART
    assert next_part_size(4 * SMALLEST_PART, 10) == 4 * SMALLEST_PART
    assert next_part_size(4 * SMALLEST_PART, 30) == 2 * SMALLEST_PART
    assert next_part_size(SMALLEST_PART, 200) == SMALLEST_PART


def test_names_of_columns_do_not_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Escape sequences, changes of direction and line separators are shown as marks."""
    said = StringIO()
    monkeypatch.setattr(_printing.notes, "_file", said)
    summary.note("列\x1b[2J\u3000\u202e\u2028\x9b0;x")
    _show.error(errors.NotFound("a\x1b[2J\u200f"), Language.EN)
    first, second = said.getvalue().splitlines()[:2]
    assert first == "列\ufffd[2J\u3000\ufffd\ufffd\ufffd0;x"
    assert second == "✘ not_found: a\ufffd[2J\ufffd"


@pytest.mark.parametrize("size", [100_000, 100_001])
def test_a_mapping_of_columns_is_read_whole_or_refused(tmp_path: Path, size: int) -> None:
    """Here and by the gateway's own command."""
    path = tmp_path / "map.yaml"
    path.write_bytes("案号: document_number\n".encode().ljust(size, b"\n"))
    if size > 100_000:
        with pytest.raises(InputError, match="over 100,000 bytes"):
            read_column_map(path)
        with pytest.raises(FileRefused):
            load_column_map(path)
    else:
        assert read_column_map(path) == load_column_map(path) == {"案号": "document_number"}


@pytest.mark.parametrize(
    "changed",
    [{"dataset": None}, {"warnings": []}, {"warnings": {"x": "1"}}, {"rejected": "1"},
     {"ignored_columns": [1]}, {"created": None}],
)  # fmt: skip
def test_a_job_of_another_shape_is_a_protocol_error(changed: Any) -> None:
    """Whatever the gateway signed."""
    counts = dict.fromkeys(("received", "rows", "created", "updated", "unchanged", "rejected"), 1)
    whole = {"job_id": "upl_1", "state": "done", "dataset": "penalty", "warnings": {}, **counts}
    evidence: Any = SimpleNamespace(json=lambda: whole)
    assert uploads._job(evidence).rows == 1
    evidence = SimpleNamespace(json=lambda: whole | changed)
    with pytest.raises(errors.ProtocolError):
        uploads._job(evidence)


def test_an_interrupted_reading_says_how_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends with 130 and one sentence."""
    said = StringIO()
    monkeypatch.setattr(_printing.notes, "_file", said)
    path = tmp_path / "good.csv"
    path.write_text("uscc\n", encoding="utf-8")

    def interrupt(*_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "digest_of", interrupt)
    with pytest.raises(typer.Exit) as ended:
        delivery_of(path)
    assert ended.value.exit_code == 130
    assert "The same command goes on" in said.getvalue()
