"""`record mask`: masking of personal numbers in records ingested by an earlier version."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.db.engine import make_engine
from gateway.privacy.redaction import ID_NUMBER_MASK, PHONE_MASK
from tests.ingest_fixture import IngestFixture, licences, make_ingest_fixture, make_source_database
from tests.portal_fixture import add_enterprise

NUMBER, PHONE = "330106–19900101–123X", "（0571）88886666"
USCC = "91330106MA2KD6TE5M"


@pytest.fixture
def fixture(postgres_url: str, tmp_path: Path) -> IngestFixture:
    """Three licences, one with history."""
    made = make_ingest_fixture(make_source_database(postgres_url), tmp_path)
    rows = list(licences(3))
    made.write("a.ndjson", rows)
    made.write("b.ndjson", [{**rows[0], "content": "现在的内容"}])
    assert made.ingest("a.ndjson").status == made.ingest("b.ndjson").status == 0
    return made


def run(fixture: IngestFixture, *arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, env=fixture.environment)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def put(fixture: IngestFixture, sql: str, **values: Any) -> None:
    async def act() -> None:
        engine = make_engine(fixture.url, pool_size=1)
        async with engine.begin() as connection:
            await connection.execute(text(sql), values)
        await engine.dispose()

    asyncio.run(act())


def test_held_texts_are_masked_and_get_no_new_version(fixture: IngestFixture) -> None:
    """Records and history are masked in place; a second run finds nothing."""
    added = json.dumps({"content": f"联系{PHONE}，批号020-20260105", "authority": f"局{NUMBER}"})
    put(fixture, "UPDATE record SET fields = fields || CAST(:added AS jsonb)", added=added)
    put(
        fixture,
        "UPDATE record_history SET row = jsonb_set(row, '{fields}', row -> 'fields' ||"
        " CAST(:added AS jsonb))",
        added=added,
    )
    versions = "SELECT uscc, record_id, version, received_at FROM record ORDER BY 1, 2"
    before = fixture.rows(versions)
    assert "4 rows looked at, 4 changed." in run(fixture, "record", "mask", "--batch", "2")
    held = fixture.rows(
        "SELECT fields FROM record UNION ALL SELECT row -> 'fields' FROM record_history"
    )
    for each in held:
        fields = each["fields"] if isinstance(each["fields"], dict) else json.loads(each["fields"])
        assert fields["content"] == f"联系{PHONE_MASK}，批号020-20260105"
        assert fields["authority"] == f"局{ID_NUMBER_MASK}"
    assert before == fixture.rows(versions)
    assert "4 rows looked at, 0 changed." in run(fixture, "record", "mask")


def test_a_key_with_a_number_is_left_and_said(fixture: IngestFixture) -> None:
    """Reported, since only the source can give the record another key."""
    (first, *_) = fixture.rows("SELECT record_id FROM record ORDER BY uscc, record_id LIMIT 1")
    put(
        fixture,
        "UPDATE record SET fields = fields || CAST(:added AS jsonb) WHERE record_id = :id",
        added=json.dumps({"number": f"许{NUMBER}"}),
        id=first["record_id"],
    )
    said = run(fixture, "record", "mask")
    assert "0 changed" in said
    assert "market, licence: 1 keys have a personal number in them." in said
    assert "19900101" not in said


def test_a_run_goes_on_behind_an_enterprise(fixture: IngestFixture) -> None:
    """The last enterprise printed by an interrupted run."""
    held = fixture.rows("SELECT uscc FROM record UNION ALL SELECT uscc FROM record_history")
    first = min(each["uscc"] for each in held)
    behind = sum(each["uscc"] > first for each in held)
    assert f"{behind} rows looked at" in run(fixture, "record", "mask", "--after", first)


def test_registrations_and_their_history_are_masked_too(fixture: IngestFixture) -> None:
    """Scope, address and former names, current and in history."""
    texts = {
        "scope": f"软件开发，联系{PHONE}",
        "address": f"西湖区1号{NUMBER}",
        "former_names": [f"旧名{NUMBER}"],
    }

    async def add() -> None:
        engine = make_engine(fixture.url, pool_size=1)
        await add_enterprise(engine, USCC, "杭州云栖数据科技有限公司", **texts)
        await engine.dispose()

    asyncio.run(add())
    put(
        fixture,
        "INSERT INTO enterprise_history (uscc, version, row, change, actor, replaced_at)"
        " SELECT uscc, version, to_jsonb(e), 'corrected', 'fang', now() FROM enterprise e WHERE uscc = :uscc",
        uscc=USCC,
    )
    held = (
        "SELECT version, to_jsonb(e) AS row FROM enterprise e WHERE scope LIKE '软件%'"
        " UNION ALL SELECT version, row FROM enterprise_history"
    )
    (before, _) = fixture.rows(held)
    assert "enterprise_history\t1" in run(fixture, "record", "mask")
    for each in fixture.rows(held):
        row = each["row"] if isinstance(each["row"], dict) else json.loads(each["row"])
        assert row["scope"] == f"软件开发，联系{PHONE_MASK}"
        assert row["address"] == f"西湖区1号{ID_NUMBER_MASK}"
        assert row["former_names"] == [f"旧名{ID_NUMBER_MASK}"]
        assert row["legal_representative"] == "张三丰"
        assert each["version"] == before["version"]
