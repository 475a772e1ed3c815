"""`db distribute`, on a database with stand-ins of Citus's functions: they note what they are asked for."""

import asyncio

import asyncpg
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.db.distribution import CALLED_FUNCTIONS, DISCLOSE_FUNCTION, DISTRIBUTED
from tests.databases import new_database

STAND_INS = """
    CREATE TABLE pg_dist_partition (logicalrelid regclass, beside text);
    CREATE TABLE functions (name regprocedure, parameter text, beside text);
    CREATE FUNCTION create_distributed_table(
        table_name regclass, distribution_column text, colocate_with text) RETURNS void
    LANGUAGE sql AS $$
        INSERT INTO pg_dist_partition SELECT $1, $3 WHERE $2 = 'uscc' $$;
    CREATE FUNCTION create_distributed_function(
        function_name regprocedure, distribution_arg_name text DEFAULT '',
        colocate_with text DEFAULT 'default') RETURNS void
    LANGUAGE sql AS $$ INSERT INTO functions SELECT $1, $2, $3 $$;"""


def run(url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit status and output of the command."""
    monkeypatch.setenv("XINQIAO_DATABASE_URL", url)
    ended = CliRunner().invoke(app, ["db", "distribute"])
    return ended.exit_code, ended.output


async def execute(url: str, sql: str) -> list[asyncpg.Record]:
    """Rows of a statement."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        if sql == STAND_INS:
            await connection.execute(sql)
            return []
        rows: list[asyncpg.Record] = await connection.fetch(sql)
        return rows
    finally:
        await connection.close()


def test_each_table_is_distributed_once(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the enterprises; the function by its USCC; the second time there is nothing to do."""
    url = asyncio.run(new_database(postgres_url))
    asyncio.run(execute(url, STAND_INS))
    status, output = run(url, monkeypatch)
    assert status == 0
    assert output.startswith("Tables distributed: enterprise, application_outcome,")
    placed = asyncio.run(execute(url, "SELECT logicalrelid::text, beside FROM pg_dist_partition"))
    assert sorted(row["logicalrelid"] for row in placed) == sorted(DISTRIBUTED)
    assert {row["beside"] for row in placed if row["logicalrelid"] != "enterprise"} == {
        "enterprise"
    }
    functions = asyncio.run(execute(url, "SELECT name::text, parameter FROM functions"))
    pushed = {row["name"].partition("(")[0]: row["parameter"] for row in functions}
    assert pushed == {**dict.fromkeys(CALLED_FUNCTIONS, ""), DISCLOSE_FUNCTION: "p_uscc"}
    assert run(url, monkeypatch) == (0, "Tables distributed: none, all were.\n")
    again = asyncio.run(execute(url, "SELECT 1 FROM pg_dist_partition"))
    assert len(again) == len(DISTRIBUTED)


def test_a_database_without_citus_is_left_alone(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, and nothing is done."""
    status, output = run(migrated_url, monkeypatch)
    assert status != 0
    assert "has no Citus" in output
