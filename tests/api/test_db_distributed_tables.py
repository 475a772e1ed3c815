"""Distributed tables in a migrated database: what Citus demands of them, read from PostgreSQL's catalogue."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.codes.purges import triggers
from gateway.db.distribution import DISTRIBUTED

pytestmark = pytest.mark.asyncio

PURGES_OF_A_CDN = "page_purge_%"
"""Triggers that exist only where a CDN is set (`gateway.codes.purges`), which a cluster cannot have."""

_KEYS_WITHOUT_USCC = """
    SELECT c.relname, i.relname FROM pg_index x
      JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indisunique AND c.relname = ANY(:tables) AND c.relnamespace = 'public'::regnamespace
       AND NOT EXISTS (
           SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'uscc'
              AND a.attnum = ANY(x.indkey::smallint[]))"""
_TRIGGERS = """
    SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relname = ANY(:tables) AND c.relnamespace = 'public'::regnamespace
       AND t.tgname NOT LIKE :allowed"""
_FOREIGN_KEYS = """
    SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c
        ON c.oid IN (k.conrelid, k.confrelid)
     WHERE k.contype = 'f' AND c.relname = ANY(:tables)
       AND c.relnamespace = 'public'::regnamespace"""
_IDENTITIES = """
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE a.attidentity <> '' AND c.relname = ANY(:tables)
       AND c.relnamespace = 'public'::regnamespace"""
RULES = {
    "unique keys": _KEYS_WITHOUT_USCC,
    "triggers": _TRIGGERS,
    "foreign keys": _FOREIGN_KEYS,
    "identity columns": _IDENTITIES,
}


async def _breaking(connection: AsyncConnection) -> dict[str, list[str]]:
    """What breaks each rule."""
    values = {"tables": sorted(DISTRIBUTED), "allowed": PURGES_OF_A_CDN}
    found = {
        name: [" ".join(row) for row in await connection.execute(text(sql), values)]
        for name, sql in RULES.items()
    }
    return {name: rows for name, rows in found.items() if rows}


async def test_migrated_tables_can_be_distributed(engine: AsyncEngine) -> None:
    """No unique index is without the USCC; no trigger, foreign key or identity column is on them."""
    async with engine.begin() as connection:
        assert await _breaking(connection) == {}
        await triggers.attach(connection)  # as where a CDN is set
        assert await _breaking(connection) == {}
        await connection.rollback()


BAD = {
    "unique keys": "CREATE UNIQUE INDEX bad ON probe (client_id)",
    "triggers": """CREATE TRIGGER bad BEFORE UPDATE ON record FOR EACH ROW
        EXECUTE FUNCTION suppress_redundant_updates_trigger()""",
    "foreign keys": "ALTER TABLE notice ADD CONSTRAINT bad FOREIGN KEY (uscc) REFERENCES enterprise",
    "identity columns": "ALTER TABLE probe ADD COLUMN bad bigint GENERATED ALWAYS AS IDENTITY",
}


@pytest.mark.parametrize("rule", BAD)
async def test_each_rule_sees_what_breaks_it(engine: AsyncEngine, rule: str) -> None:
    """One bad change for each rule."""
    async with engine.connect() as connection:
        await connection.execute(text(BAD[rule]))
        assert rule in await _breaking(connection)
        await connection.rollback()
