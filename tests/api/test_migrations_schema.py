"""Schema after all migrations: equal to the SQLAlchemy metadata, defaults, keys and indexes included."""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.engine import make_url

from gateway.db.engine import make_engine
from gateway.migrations.all_tables import metadata
from gateway.migrations.run import upgrade
from tests.databases import new_database

_CATALOG: Final = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND a.attnum > 0 AND NOT a.attisdropped""",
    "indexes": """
        SELECT c.relname, i.relname, replace(pg_get_indexdef(i.oid), ' ' || i.relname || ' ', ' ')
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT x.indisprimary""",
    # Without names: a few are those that the migrations gave, with or without the prefix.
    "constraints": """
        SELECT c.relname, pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('c', 'f', 'p', 'u')""",
}


def differences(connection: Connection) -> list[Any]:
    """Changes that Alembic would make to reach the metadata."""
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def catalog(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """Columns, indexes and constraints as PostgreSQL describes them, without Alembic's table."""
    return {
        kind: {tuple(row) for row in connection.execute(text(sql)) if row[0] != "alembic_version"}
        for kind, sql in _CATALOG.items()
    }


async def _read(url: str, *, create: MetaData | None = None) -> tuple[list[Any], dict[str, Any]]:
    engine = make_engine(url, pool_size=1)
    try:
        async with engine.begin() as connection:
            if create is not None:
                await connection.execute(text("DROP SCHEMA public CASCADE"))
                await connection.execute(text("CREATE SCHEMA public"))
                await connection.run_sync(create.create_all)
            return await connection.run_sync(differences), await connection.run_sync(catalog)
    finally:
        await engine.dispose()


def test_the_migrated_schema_is_the_metadata(migrated_url: str) -> None:
    """Alembic finds no difference in tables, columns, types, defaults or indexes."""
    found, _ = asyncio.run(_read(migrated_url))
    assert found == []


def test_the_migrated_schema_is_what_the_metadata_creates(
    migrated_url: str, postgres_url: str
) -> None:
    """PostgreSQL's own description agrees: partial indexes, checks and defaults too."""
    _, migrated = asyncio.run(_read(migrated_url))
    fresh = asyncio.run(new_database(postgres_url))
    assert make_url(fresh).database != make_url(migrated_url).database
    _, created = asyncio.run(_read(fresh, create=metadata))
    for kind in _CATALOG:
        assert sorted(map(str, migrated[kind] ^ created[kind])) == [], kind


def test_upgrading_twice_and_at_once_changes_nothing(migrated_url: str) -> None:
    """Three upgrades of an upgraded database at once succeed and leave the schema as it is."""
    before = asyncio.run(_read(migrated_url))
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
        list(processes.map(upgrade, [migrated_url] * 3))
    assert asyncio.run(_read(migrated_url)) == before
