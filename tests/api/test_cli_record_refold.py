"""`record refold` and `record merged`, and other commands while keys are due."""

import asyncio
import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.db.engine import make_engine
from gateway.pages.csv_safe import BOM
from tests.ingest_fixture import IngestFixture, licences, make_ingest_fixture, make_source_database
from tests.natural_keys_fixture import NOW, NaturalKeysFixture


@pytest.fixture
def fixture(postgres_url: str, tmp_path: Path) -> IngestFixture:
    """A database with due keys, in which two pairs of records become one each."""
    made = make_ingest_fixture(make_source_database(postgres_url), tmp_path)
    asyncio.run(_fill(made))
    return made


async def _fill(fixture: IngestFixture) -> None:
    engine = make_engine(fixture.url, pool_size=1)
    files = NaturalKeysFixture(engine)
    await files.are_due()
    await files.hold("浙罚3-1", repaired_at=NOW - timedelta(days=1))
    await files.hold("浙罚3—1")
    await files.hold("=浙罚3-1", source_id="rival", source_time=NOW)
    await files.hold("=浙罚3–1", source_id="rival")
    await engine.dispose()


def run(fixture: IngestFixture, *arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, env=fixture.environment)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_the_operator_folds_the_keys_and_each_source_gets_its_report(
    fixture: IngestFixture,
) -> None:
    """Before it, `db upgrade` says so and ingest is refused; afterwards the file is taken."""
    assert "run `xinqiao-gateway record refold`" in run(fixture, "db", "upgrade")
    fixture.write("a.ndjson", licences(3))
    refused = fixture.ingest("a.ndjson")
    assert (refused.status, "record refold" in refused.err) == (2, True)
    reports = fixture.folder / "reports"
    said = run(fixture, "record", "refold", "--reports", str(reports))
    assert "4 records, 0 keys folded anew, 2 records became part of another" in said
    assert run(fixture, "db", "upgrade") == "The schema is up to date.\n"
    assert fixture.ingest("a.ndjson").status == 0
    market = (reports / "merged-market.csv").read_text(encoding="utf-8").removeprefix(BOM)
    (row,) = csv.DictReader(io.StringIO(market))
    assert (row["source_id"], row["dataset"]) == ("market", "penalty")
    assert (row["key"], row["kept_key"], row["prevailed"]) == ("浙罚3—1", "浙罚3-1", "repaired")
    rival = (reports / "merged-rival.csv").read_text(encoding="utf-8").removeprefix(BOM)
    (row,) = csv.DictReader(io.StringIO(rival))
    assert (row["key"], row["prevailed"]) == ("'=浙罚3–1", "newer")
    shown = run(fixture, "record", "merged", "--source", "rival")
    assert "rival" in shown
    assert "market" not in shown
    assert "0 records became part of another" in run(fixture, "record", "refold")
