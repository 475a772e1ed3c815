"""`xinqiao-gateway compare`: reading deliveries, findings as table, CSV and page."""

import csv
from datetime import date
from pathlib import Path

import pytest
import zstandard
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from gateway.creditfile.catalogue import PUBLISHED_CATALOGUE
from gateway.synthetic.files.export import ExportPlan, write_part
from gateway.synthetic.files.writers import Format
from tests.creditfile_builders import USCC

TODAY = date(2026, 11, 22)


@pytest.fixture
def deliveries(tmp_path: Path) -> tuple[Path, Path]:
    """The same licences as Parquet, and as CSV without every tenth row."""
    for form in (Format.CSV, Format.PARQUET):
        folder = tmp_path / form.value
        folder.mkdir()
        write_part(
            ExportPlan(folder=folder, entities=300, seed=1, today=TODAY, parts=1, form=form), 0
        )
    whole = tmp_path / "csv" / "licence-01.csv.zst"
    with zstandard.open(whole, "rt", encoding="utf-8", newline="") as file:
        header, *lines = file.read().splitlines(keepends=True)
    fewer = tmp_path / "fewer.csv"
    kept = [line for number, line in enumerate(lines) if number % 10]
    fewer.write_text(header + "".join(kept).replace("准予", "允许"), encoding="utf-8")
    return tmp_path / "parquet" / "licence-01.parquet", fewer


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "160"})


def test_both_deliveries_are_read_and_every_finding_is_written(
    deliveries: tuple[Path, Path], tmp_path: Path
) -> None:
    """As a table, as CSV, as a page."""
    left, right = deliveries
    report, page = tmp_path / "findings.csv", tmp_path / "page.html"
    done = run(
        "licence", "--left", left, "--right", right, "--left-name", "信用浙江",
        "--right-name", "公示系统", "--csv", report, "--html", page,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "content" in done.output
    assert "(10." in done.output
    with report.open(encoding="utf-8", newline="") as file:
        findings = list(csv.DictReader(file))
    kinds = {each["kind"] for each in findings}
    assert kinds == {"missing", "differs"}
    assert {each["side"] for each in findings if each["kind"] == "missing"} == {"公示系统"}
    assert "信用浙江" in page.read_text(encoding="utf-8")


def test_a_period_leaves_the_rest_out(deliveries: tuple[Path, Path]) -> None:
    """By the day of the decision."""
    left, _ = deliveries
    whole = run("licence", "--left", left, "--right", left).output
    part = run("licence", "--left", left, "--right", left, "--period", "2026-01-01..2026-03-31")
    assert part.exit_code == 0
    assert part.output != whole


@pytest.mark.parametrize(
    ("dataset", "more", "sentence"),
    [
        ("novelty", (), "no dataset novelty"),
        ("licence", ("--period", "yesterday"), "--period is"),
        ("licence", ("--period", "2026-03-01..2026-01-01"), "--period is"),
        ("penalty", (), "header"),
    ],
)
def test_a_refused_comparison_is_one_sentence(
    deliveries: tuple[Path, Path], dataset: str, more: tuple[str, ...], sentence: str
) -> None:
    """Status 2, and no files."""
    left, right = deliveries
    done = run(dataset, "--left", left, "--right", right, *more)
    assert done.exit_code == 2
    assert sentence in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_a_dataset_that_an_operator_added_is_compared_by_their_catalogue(tmp_path: Path) -> None:
    """The operator's catalogue is used; an invalid one is refused with one sentence."""
    own, rows = tmp_path / "own.yaml", tmp_path / "rows.csv"
    published = PUBLISHED_CATALOGUE.read_text(encoding="utf-8")
    own.write_text(published.replace("- code: branch", "- code: outlet"), encoding="utf-8")
    rows.write_text(
        f"uscc,branch_uscc,name,established_on\n{USCC},{USCC},分店,2026-03-02\n",
        encoding="utf-8",
    )
    sides = ("outlet", "--left", rows, "--right", rows)
    assert run(*sides).exit_code == 2
    done = run(*sides, "--catalogue", own)
    assert done.exit_code == 0, done.output
    own.write_text("datasets: [", encoding="utf-8")
    refused = run(*sides, "--catalogue", own)
    assert refused.exit_code == 2
    assert "not readable YAML" in refused.output
