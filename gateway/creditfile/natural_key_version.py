"""Folding version of the stored natural keys; ingest stops until it is current.

Otherwise a key folded by today's rules would not match the stored one, and a repaired record would
reappear. `rekey_records` converts the stored keys.
"""

from typing import Final

from sqlalchemy import Column, DateTime, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.natural_keys import KEYS_VERSION
from gateway.db.metadata import metadata
from gateway.db.statements import Statement

key_folding = Table(
    "key_folding",
    metadata,
    Column("version", Text, primary_key=True),
    Column("reached", Text, nullable=False, server_default="", comment="folded up to this USCC"),
    Column("finished_at", DateTime(timezone=True)),
)

IS_CURRENT: Final = f"""EXISTS (
    SELECT FROM key_folding WHERE version = '{KEYS_VERSION}' AND finished_at IS NOT NULL)"""
"""SQL condition: all stored keys have the current version."""


async def keys_are_current(connection: AsyncConnection) -> bool:
    """True if records may be ingested."""
    return bool((await connection.execute(Statement(f"SELECT {IS_CURRENT}"))).scalar_one())


class KeysDueError(Exception):
    """The keys of the records that are held come first: run `xinqiao-gateway record refold`."""
