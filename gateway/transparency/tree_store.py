"""Reads hashes and entries of the stored tree, by tile ranges."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.transparency.tiles import Hashes, Run, hashes_from_rows

# One byte string for each run: the hashes of its level from :begins to :ends (exclusive).
HASHES = Statement(r"""
    SELECT array_agg(coalesce(found.hashes, '') ORDER BY run.place) AS rows
    FROM unnest(CAST(:levels AS integer[]), CAST(:begins AS bigint[]), CAST(:ends AS bigint[]))
        WITH ORDINALITY AS run(level, first, after, place)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN run.level = 0 THEN (
            SELECT string_agg(sha256('\x00' || e.leaf_hash), '' ORDER BY e.index)
            FROM log_entry e WHERE e.index >= run.first AND e.index < run.after)
        ELSE (
            SELECT string_agg(n.hash, '' ORDER BY n.index)
            FROM log_node n
            WHERE n.level = run.level AND n.index >= run.first AND n.index < run.after)
        END AS hashes) AS found""")
HASHES_IN_TRANSACTION = Statement(HASHES.sql)

ENTRIES = Statement("""
    SELECT string_agg(leaf_hash, '' ORDER BY index) AS entries FROM log_entry
    WHERE index >= CAST(:first AS bigint) AND index < CAST(:after AS bigint)""")


async def read_rows(hot: HotDatabase, runs: Sequence[Run]) -> list[bytes]:
    """The bytes of each run; shorter than the run where the tree ends before."""
    row = await hot.row(HASHES, _parameters(runs))
    return list((row and row["rows"]) or ())


async def read_hashes(hot: HotDatabase, runs: Sequence[Run]) -> Hashes:
    """The hashes of `runs`."""
    return hashes_from_rows(runs, await read_rows(hot, runs))


async def read_hashes_in_transaction(connection: AsyncConnection, runs: Sequence[Run]) -> Hashes:
    """The hashes of `runs`, as the transaction of `connection` sees them."""
    rows = (await connection.execute(HASHES_IN_TRANSACTION, _parameters(runs))).scalar_one()
    return hashes_from_rows(runs, rows or ())


async def read_entries(hot: HotDatabase, begin: int, end: int) -> bytes:
    """The entries from `begin` to `end` (exclusive), 32 bytes each, as far as they exist."""
    row = await hot.row(ENTRIES, {"first": begin, "after": end})
    return bytes((row and row["entries"]) or b"")


def _parameters(runs: Iterable[Run]) -> dict[str, Any]:
    listed = list(runs)
    return {
        "levels": [run.level for run in listed],
        "begins": [run.begin for run in listed],
        "ends": [run.end for run in listed],
    }
