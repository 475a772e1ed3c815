"""Distribution of the tables over a Citus cluster: each that is not yet distributed, and the functions.

Run again after each migration: what is distributed already is left alone.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.distribution import (
    CALLED_FUNCTIONS,
    DISCLOSE_FUNCTION,
    DISTRIBUTED,
    DISTRIBUTION_COLUMN,
    IS_DISTRIBUTED,
)
from gateway.db.statements import Statement

FIRST_TABLE: Final = "enterprise"
"""The table beside whose shards those of the others lie."""

_HAS_CITUS: Final = Statement(f"SELECT {IS_DISTRIBUTED}")
_ALREADY: Final = Statement("SELECT CAST(logicalrelid AS text) FROM pg_dist_partition")
_TABLE: Final = Statement("""
    SELECT create_distributed_table(
        CAST(CAST(:name AS text) AS regclass), :uscc, colocate_with => CAST(:beside AS text))""")
_FUNCTION: Final = Statement("""
    SELECT create_distributed_function(
        CAST(oid AS regprocedure), CAST(:parameter AS text), colocate_with => CAST(:beside AS text))
      FROM pg_proc WHERE proname = :name AND pg_function_is_visible(oid)""")
_CALLED: Final = Statement("""
    SELECT create_distributed_function(CAST(oid AS regprocedure))
      FROM pg_proc WHERE proname = ANY(CAST(:names AS text[])) AND pg_function_is_visible(oid)""")


class NoClusterError(Exception):
    """The database has no Citus."""


async def distribute(connection: AsyncConnection) -> list[str]:
    """Distribute what is not distributed yet; the tables. Raises `NoClusterError`."""
    if not (await connection.execute(_HAS_CITUS)).scalar_one():
        raise NoClusterError
    already = set((await connection.execute(_ALREADY)).scalars())
    missing = sorted(DISTRIBUTED - already, key=lambda name: (name != FIRST_TABLE, name))
    for name in missing:
        beside = "none" if name == FIRST_TABLE else FIRST_TABLE
        values = {"name": name, "uscc": DISTRIBUTION_COLUMN, "beside": beside}
        await connection.execute(_TABLE, values)
    await connection.execute(_CALLED, {"names": list(CALLED_FUNCTIONS)})
    pushed = {"name": DISCLOSE_FUNCTION, "parameter": f"p_{DISTRIBUTION_COLUMN}"}
    await connection.execute(_FUNCTION, {**pushed, "beside": FIRST_TABLE})
    return missing
