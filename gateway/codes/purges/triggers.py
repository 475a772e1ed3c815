"""Triggers that note a purge with each change of what pages are made of.

They are made where a CDN is set, not by the migration: distributed tables have no triggers.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.locks import LockKey, lock
from gateway.db.statements import Statement

PAGE_TABLES: Final = ("enterprise", "record", "enterprise_code")
CATALOGUE_TABLE: Final = "catalogue_version"
_ROWS: Final = {
    "insert": "NEW TABLE AS changed",
    "update": "OLD TABLE AS former NEW TABLE AS changed",
    "delete": "OLD TABLE AS changed",
}
_COUNT: Final = Statement("""
SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE t.tgname LIKE 'page\\_purge\\_%' AND NOT t.tgisinternal
   AND pg_table_is_visible(c.oid)""")
_LOCK_TIMEOUT: Final = Statement("SET LOCAL lock_timeout = '3s'")


def _definitions() -> Iterator[str]:
    does = "FOR EACH STATEMENT EXECUTE FUNCTION xinqiao_note_page_purges()"
    for table in PAGE_TABLES:
        for event, rows in _ROWS.items():
            yield (
                f"CREATE OR REPLACE TRIGGER page_purge_{event} AFTER {event} ON {table} "
                f"REFERENCING {rows} {does}"
            )
        yield f"CREATE OR REPLACE TRIGGER page_purge_truncate AFTER TRUNCATE ON {table} {does}"
    yield (
        f"CREATE OR REPLACE TRIGGER page_purge_any AFTER INSERT OR UPDATE ON {CATALOGUE_TABLE} {does}"
    )


TRIGGERS: Final = tuple(Statement(each) for each in _definitions())


async def attach(connection: AsyncConnection) -> None:
    """Make the triggers that are missing; waits for writers for three seconds at most."""
    if (await connection.execute(_COUNT)).scalar_one() == len(TRIGGERS):
        return
    await lock(connection, LockKey.PAGE_PURGES)
    await connection.execute(_LOCK_TIMEOUT)
    for each in TRIGGERS:
        await connection.execute(each)
