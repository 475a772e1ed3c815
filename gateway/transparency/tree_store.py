"""What the database keeps of the tree is read by one statement, whoever asks for which hashes."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.transparency.tiles import Hashes, Run, known

# One row of bytes for each run: the hashes of its level from :begins up to, and without, :ends.
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
WITHIN_A_TRANSACTION = Statement(HASHES.sql)

ENTRIES = Statement("""
    SELECT string_agg(leaf_hash, '' ORDER BY index) AS entries FROM log_entry
    WHERE index >= CAST(:first AS bigint) AND index < CAST(:after AS bigint)""")


async def rows_of(hot: HotDatabase, runs: Sequence[Run]) -> list[bytes]:
    """The bytes of each run; shorter than the run where the tree does not reach so far."""
    row = await hot.row(HASHES, _parameters(runs))
    return list((row and row["rows"]) or ())


async def hashes_of(hot: HotDatabase, runs: Sequence[Run]) -> Hashes:
    """The hashes of `runs`."""
    return known(runs, await rows_of(hot, runs))


async def hashes_within(connection: AsyncConnection, runs: Sequence[Run]) -> Hashes:
    """The same as `hashes_of`, as the transaction of `connection` sees it."""
    rows = (await connection.execute(WITHIN_A_TRANSACTION, _parameters(runs))).scalar_one()
    return known(runs, rows or ())


async def entries_of(hot: HotDatabase, first: int, after: int) -> bytes:
    """The 32 bytes of each entry from `first` up to, and without, `after`, as far as there are."""
    row = await hot.row(ENTRIES, {"first": first, "after": after})
    return bytes((row and row["entries"]) or b"")


def _parameters(runs: Iterable[Run]) -> dict[str, Any]:
    listed = list(runs)
    return {
        "levels": [run.level for run in listed],
        "begins": [run.begin for run in listed],
        "ends": [run.end for run in listed],
    }
