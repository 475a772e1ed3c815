"""Alembic environment; concurrent upgrades wait for one another on an advisory lock."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from gateway.db.engine import make_engine
from gateway.db.locks import LOCK, LockKey
from gateway.db.statements import Statement
from gateway.migrations.all_tables import metadata

# While the upgrade waits for a table's lock, every call on that table queues after it.
LOCK_TIMEOUT = "5s"


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        connection.execute(Statement("SET LOCAL lock_timeout = 0"))  # another upgrade may take long
        connection.execute(LOCK, {"key": LockKey.MIGRATION.value})
        connection.execute(Statement(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


async def _connect_and_run() -> None:
    engine = make_engine(context.config.attributes["url"], pool_size=1, statement_timeout=0)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_connect_and_run())
