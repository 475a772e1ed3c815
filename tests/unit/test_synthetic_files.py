"""Synthetic province as files: deterministic, equal in all formats, streamed."""

import csv
import hashlib
import io
import json
import tracemalloc
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, cast

import orjson
import pyarrow.parquet
import pytest
import zstandard
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.ingest import RowValidator
from gateway.ingest.comparison.read_rows import read_delivery
from gateway.ingest.results import AcceptedRow
from gateway.synthetic.files.export import ExportPlan, FinishedError, write_part, write_province
from gateway.synthetic.files.writers import Format, header_of
from gateway.synthetic.generator.province import province
from tests.creditfile_builders import CATALOGUE

TODAY = date(2026, 11, 23)
ENTITIES = 400


def _plan(folder: Path, form: Format = Format.CSV, *, parts: int = 2, seed: int = 1) -> ExportPlan:
    return ExportPlan(
        folder=folder, entities=ENTITIES, seed=seed, today=TODAY, parts=parts, form=form
    )


def _in_parts(plan: ExportPlan) -> None:
    for part in range(plan.parts):
        write_part(plan, part)


def _text(path: Path) -> str:
    with zstandard.open(path, "rt", encoding="utf-8", newline="") as file:
        return str(file.read())


def _cell(kind: str, cell: str) -> Any:
    match kind:
        case "texts":
            return cell.split(";")
        case "boolean":
            return {"true": True, "false": False}[cell]
        case "integer":
            return int(cell)
        case "indicators":
            return orjson.loads(cell)
    return cell


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """The record as CSV can express it: without empty lists."""
    return {name: value for name, value in row.items() if value != []}


def _rows(plan: ExportPlan, code: str) -> list[dict[str, Any]]:
    """Parsed rows without empty members."""
    paths = sorted(plan.folder.glob(f"{code}-*{plan.form.ending}"))
    if plan.form is Format.PARQUET:
        rows = [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]
        in_json = {f.name for f in CATALOGUE.dataset(code).fields if f.type == "indicators"}
        return [
            {n: orjson.loads(v) if n in in_json else v for n, v in row.items() if v is not None}
            for row in rows
        ]
    if plan.form is Format.NDJSON:
        return [orjson.loads(line) for path in paths for line in _text(path).splitlines()]
    kinds = {field.name: field.type for field in CATALOGUE.dataset(code).fields}
    return [
        {name: _cell(kinds.get(name, "text"), cell) for name, cell in row.items() if cell}
        for path in paths
        for row in csv.DictReader(io.StringIO(_text(path)))
    ]


def test_the_files_hold_the_province_row_for_row(tmp_path: Path) -> None:
    """Each record once, in each format, with its source's time."""
    made = list(province(1, ENTITIES, today=TODAY, catalogue=CATALOGUE))
    for form in Format:
        plan = _plan(tmp_path / form.value, form)
        plan.folder.mkdir()
        _in_parts(plan)
        for dataset in CATALOGUE.datasets:
            expected = [
                {"uscc": each.uscc, **{n: v for n, v in row.fields.items() if v is not None}}
                for each in made
                for row in each.deliveries
                if row.dataset == dataset.code
            ]
            if dataset.code == "registration":
                expected = [{**each.registration.fields, **each.personal} for each in made]
            rows = _rows(plan, dataset.code)
            times = [row.pop("source_time") for row in rows]
            assert [_said(row) for row in rows] == [_said(row) for row in expected]
            assert all(time.endswith("T09:00:00+08:00") for time in times)
            judge = RowValidator(CATALOGUE, dataset.code, today=TODAY)
            for row, source_time in zip(rows, times, strict=True):
                assert isinstance(judge.validate({**row, "source_time": source_time}), AcceptedRow)


def dataset_names(code: str) -> set[str]:
    return {field.name for field in CATALOGUE.dataset(code).fields}


def test_intake_reads_the_files_and_accepts_each_row(tmp_path: Path) -> None:
    """With ingest's readers, in each format."""
    made = list(province(1, ENTITIES, today=TODAY, catalogue=CATALOGUE))
    delivered_rows = Counter(row.dataset for each in made for row in each.deliveries)
    for form in Format:
        plan = _plan(tmp_path / form.value, form, parts=1)
        plan.folder.mkdir()
        _in_parts(plan)
        for dataset in CATALOGUE.datasets:
            judge = RowValidator(CATALOGUE, dataset.code, today=TODAY)
            path = plan.folder / f"{dataset.code}-01{form.ending}"
            rows = read_delivery(path, CATALOGUE, dataset.code)
            verdicts = [judge.validate(cast("Any", row)) for row in rows]
            assert all(isinstance(each, AcceptedRow) for each in verdicts), (form, dataset.code)
            assert len(verdicts) == delivered_rows.get(dataset.code, ENTITIES)


def test_a_header_has_the_code_once_and_every_field_of_the_catalogue(tmp_path: Path) -> None:
    """As `ingest` requires."""
    plan = _plan(tmp_path, parts=1)
    _in_parts(plan)
    for dataset in CATALOGUE.datasets:
        [path] = tmp_path.glob(f"{dataset.code}-01.csv.zst")
        header = tuple(_text(path).split("\n", 1)[0].split(","))
        assert header == header_of(dataset)
        assert Counter(header)["uscc"] == 1
        assert set(header) == {"uscc", "source_time", *dataset_names(dataset.code)}


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    """In any process."""
    one, other = _plan(tmp_path / "one"), _plan(tmp_path / "other")
    told: list[int] = []
    made = write_province(one, told.append)
    other.folder.mkdir()
    _in_parts(other)
    digests = {f.name: f.sha256 for f in made.files}
    assert digests == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in other.folder.glob("*.zst")
    }
    assert told[-1] == ENTITIES
    different = _plan(tmp_path / "different", seed=2)
    different.folder.mkdir()
    _in_parts(different)
    theirs = (different.folder / "licence-01.csv.zst").read_bytes()
    assert theirs != (one.folder / "licence-01.csv.zst").read_bytes()


def test_the_manifest_comes_last_and_counts(tmp_path: Path) -> None:
    """A folder with a manifest is complete and not overwritten."""
    made = write_province(_plan(tmp_path))
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["synthetic"] is True
    assert manifest["rows"]["registration"] == ENTITIES == made.rows["registration"]
    assert manifest["records"] == made.records >= 3 * ENTITIES
    assert {f["name"] for f in manifest["files"]} == {p.name for p in tmp_path.glob("*.zst")}
    assert manifest["sources"]["judgment_defaulter"]["id"] == "synthetic-court"
    assert "Nothing here is real" in (tmp_path / "README.md").read_text(encoding="utf-8")
    with pytest.raises(FinishedError):
        write_province(_plan(tmp_path))


def test_repairs_and_withdrawals_are_delivered_as_actions(tmp_path: Path) -> None:
    """By natural key."""
    plan = _plan(tmp_path, parts=1)
    _in_parts(plan)
    actions = [json.loads(line) for line in (tmp_path / "actions-01.ndjson").open("rb")]
    assert {each["action"] for each in actions} == {"repair", "withdraw"}
    keys = {(row["uscc"], row["document_number"]) for row in _rows(plan, "penalty")}
    assert {(each["uscc"], each["key"]) for each in actions} <= keys
    assert {each["decided_on"] for each in actions} == {"2026-11-13"}


def test_a_part_takes_no_more_memory_when_it_is_longer(tmp_path: Path) -> None:
    """Ten times the enterprises."""
    peaks = []
    for entities in (200, 200, 2_000):
        plan = ExportPlan(folder=tmp_path, entities=entities, seed=1, today=TODAY, parts=1)
        tracemalloc.start()
        write_part(plan, 0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.5 * peaks[1]


def test_the_command_says_what_it_has_written_and_refuses_a_finished_folder(tmp_path: Path) -> None:
    """With one sentence; the enterprises are the demo's."""
    asked = ["synth", "--entities", "60", "--out", str(tmp_path), "--parts", "1"]
    first = CliRunner().invoke(app, asked)
    assert first.exit_code == 0, first.output
    assert "60 enterprises" in first.output
    assert "91330106MAHD08319M" in _text(tmp_path / "registration-01.csv.zst")
    again = CliRunner().invoke(app, asked)
    assert again.exit_code == 2
    assert "finished province" in again.output
