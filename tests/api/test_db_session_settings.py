"""Settings of a server, database or role that would change what statements mean."""

import asyncpg

from gateway.db.engine import make_engine
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from tests.databases import new_database

SET = {
    "timezone": "America/St_Johns",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-5",
}
MEANT = Statement(
    r"SELECT octet_length(CAST('\x00' AS bytea)) AS bytes, CAST(DATE '2026-11-30' AS text) AS day, "
    "CAST(CAST('2026-11-30T00:00:00Z' AS timestamptz) AS text) AS moment, "
    "CAST(CAST(0.1 AS double precision) + 0.2 AS text) AS sum, CAST(NULL AS text) = NULL AS unknown, "
    "current_setting('transaction_isolation') AS isolation"
)
EXPECTED = (
    1,
    "2026-11-30",
    "2026-11-30 00:00:00+00",
    "0.30000000000000004",
    None,
    "read committed",
)


async def test_statements_mean_the_same_however_the_database_is_set(postgres_url: str) -> None:
    """Both in transactions and in statements by themselves; else the log's hashes could not be read."""
    url = await new_database(postgres_url)
    plain = await asyncpg.connect(url.replace("+asyncpg", ""))
    for name, value in SET.items():
        database = url.rsplit("/", 1)[-1].partition("?")[0]
        await plain.execute(f"ALTER DATABASE \"{database}\" SET {name} = '{value}'")
    await plain.close()
    engine = make_engine(url, pool_size=1)
    hot = await HotDatabase.open(url, size=1, statement_timeout=30)
    async with engine.connect() as connection:
        assert tuple((await connection.execute(MEANT)).one()) == EXPECTED
    row = await hot.row(MEANT, {})
    assert row is not None
    assert tuple(row) == EXPECTED
    await hot.close()
    await engine.dispose()
