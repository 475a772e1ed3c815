"""Schema whose distributed tables are partitioned by hash of the USCC, as a cluster would shard them.

It stands in for Citus: a partition for a shard. The gateway takes the database for a cluster.
"""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from gateway.db.distribution import DISTRIBUTED
from gateway.db.statements import Statement

PARTITIONS: Final = 8

_PARTITION: Final = """
    ALTER TABLE {table} RENAME TO {table}_whole;
    CREATE TABLE {table} (LIKE {table}_whole INCLUDING ALL) PARTITION BY HASH (uscc);
    DROP TABLE {table}_whole;"""
_PART: Final = """
    CREATE TABLE {table}_p{number} PARTITION OF {table}
        FOR VALUES WITH (MODULUS {parts}, REMAINDER {number});"""
_LIKE_A_CLUSTER: Final = "CREATE TABLE pg_dist_partition (logicalrelid regclass)"
_TOUCHED: Final = """
    SELECT relname FROM pg_stat_xact_user_tables
     WHERE coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del > 0"""


async def partition(url: str) -> None:
    """Partition the empty, migrated database at `url`."""
    connection = await connect(url)
    for table in sorted(DISTRIBUTED):
        await connection.execute(_PARTITION.format(table=table))
        for number in range(PARTITIONS):
            part = _PART.format(table=table, number=number, parts=PARTITIONS)
            await connection.execute(part)
    await connection.execute(_LIKE_A_CLUSTER)
    await connection.close()


async def connect(url: str) -> Any:  # asyncpg's connection
    """A connection that plans as the hot paths do: once for all values."""
    settings = {"plan_cache_mode": "force_generic_plan"}
    return await asyncpg.connect(url.replace("+asyncpg", ""), server_settings=settings)


async def touched_partitions(url: str, statement: Statement, values: Mapping[str, Any]) -> set[str]:
    """Partitions of distributed tables that a statement reads or writes; it is undone.

    The session is a new one: PostgreSQL counts for it what it has not yet told others.
    """
    connection = await connect(url)
    undone = connection.transaction()
    await undone.start()
    await connection.fetch(statement.positional, *(values[name] for name in statement.names))
    names = {row["relname"] for row in await connection.fetch(_TOUCHED)}
    await undone.rollback()
    await connection.close()
    parts = {f"{table}_p{number}" for table in DISTRIBUTED for number in range(PARTITIONS)}
    return names & parts
