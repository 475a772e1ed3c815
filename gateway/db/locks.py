"""PostgreSQL advisory locks: keys and functions.

Key values must not change: releases of two versions may run side by side.
"""

from enum import IntEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.statements import Statement


class LockKey(IntEnum):
    """Locks of one key."""

    ANOMALIES = 0x5851414E  # "XQAN"
    CATALOGUE_NOTICES = 0x5851434E  # "XQCN"
    CATALOGUE_VERSIONS = 0x58514341  # "XQCA"
    MIGRATION = 0x58514D47  # "XQMG"
    PAGE_PURGES = 0x58515050  # "XQPP"
    RETENTION = 0x58515254  # "XQRT"
    SEQUENCER = 0x58514C47  # "XQLG"
    WATCHES = 0x58515754  # "XQWT"


class LockNamespace(IntEnum):
    """Locks of two keys: a namespace, and the hash of a name."""

    CODES = 0x58514344  # "XQCD"
    CREDIT_REPORTS = 0x58514352  # "XQCR"
    INGEST_DATASET = 0x58514957  # "XQIW"
    INGEST_JOB = 0x58514A42  # "XQJB"
    QUALITY = 0x58514451  # "XQDQ"
    UPLOADS = 0x58515550  # "XQUP"
    VERIFICATION_JOBS = 0x5851564A  # "XQVJ"
    WATCH_LISTS = 0x5851574C  # "XQWL"


LOCK_NAMED: Final = "pg_advisory_xact_lock(:namespace, hashtext(:name))"
"""SQL of a lock in a namespace, held until the transaction ends."""
LOCK: Final = Statement("SELECT pg_advisory_xact_lock(:key)")
_LOCK_NAMED: Final = Statement(f"SELECT {LOCK_NAMED}")
_LOCK_TEXT: Final = Statement("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_TRY_LOCK: Final = Statement("SELECT pg_try_advisory_xact_lock(:key)")
_TRY_LOCK_NAMED: Final = Statement("SELECT pg_try_advisory_xact_lock(:namespace, hashtext(:name))")
_TRY_SESSION_LOCK: Final = Statement("SELECT pg_try_advisory_lock(:key)")
_TRY_SESSION_LOCK_NAMED: Final = Statement(
    "SELECT pg_try_advisory_lock(:namespace, hashtext(:name))"
)
_UNLOCK_SESSION: Final = Statement("SELECT pg_advisory_unlock(:key)")
_COUNT_HELD: Final = Statement("""
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2 AND CAST(classid AS bigint) = :namespace
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""")


async def lock(connection: AsyncConnection, key: LockKey) -> None:
    """Wait for a lock and hold it until the transaction ends."""
    await connection.execute(LOCK, {"key": key.value})


async def lock_named(connection: AsyncConnection, namespace: LockNamespace, name: str) -> None:
    """Wait for a lock in a namespace and hold it until the transaction ends."""
    await connection.execute(_LOCK_NAMED, {"namespace": namespace.value, "name": name})


async def lock_text(connection: AsyncConnection, name: str) -> None:
    """Wait for the lock of a whole text and hold it until the transaction ends."""
    await connection.execute(_LOCK_TEXT, {"name": name})


async def try_lock(connection: AsyncConnection, key: LockKey) -> bool:
    """Take a free lock until the transaction ends."""
    return bool((await connection.execute(_TRY_LOCK, {"key": key.value})).scalar_one())


async def try_lock_named(connection: AsyncConnection, namespace: LockNamespace, name: str) -> bool:
    """Take a free lock in a namespace until the transaction ends."""
    values = {"namespace": namespace.value, "name": name}
    return bool((await connection.execute(_TRY_LOCK_NAMED, values)).scalar_one())


async def try_session_lock(connection: AsyncConnection, key: LockKey) -> bool:
    """Take a free lock until it is unlocked or the session ends."""
    return bool((await connection.execute(_TRY_SESSION_LOCK, {"key": key.value})).scalar_one())


async def try_session_lock_named(
    connection: AsyncConnection, namespace: LockNamespace, name: str
) -> bool:
    """Take a free lock in a namespace until the session ends."""
    values = {"namespace": namespace.value, "name": name}
    return bool((await connection.execute(_TRY_SESSION_LOCK_NAMED, values)).scalar_one())


async def unlock_session(connection: AsyncConnection, key: LockKey) -> None:
    """Release a lock of this session."""
    await connection.execute(_UNLOCK_SESSION, {"key": key.value})


async def count_held(connection: AsyncConnection, namespace: LockNamespace) -> int:
    """Number of locks held in a namespace, by any session of this database."""
    return int((await connection.execute(_COUNT_HELD, {"namespace": namespace.value})).scalar_one())
