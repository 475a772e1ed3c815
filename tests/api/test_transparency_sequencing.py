"""Sequencing: each leaf gets one index, with concurrent sequencers and failures."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.background.sequencing import POLL_SECONDS, run_sequencer
from gateway.db.engine import make_engine
from gateway.db.locks import LockKey
from gateway.db.prepared import HotDatabase
from gateway.signing.keys import KeyRing
from gateway.transparency import merkle
from gateway.transparency.tiles import node_hashes, proof_runs
from gateway.transparency.tree_store import read_hashes
from tests import merkle_proofs, reference_merkle
from tests.databases import new_database
from tests.log_builders import (
    EMPTY,
    NOON,
    ORIGIN,
    make_key_ring,
    make_sequencer,
    open_note,
    raw_key,
    sequence_all,
    write_disclosures,
)
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio

CUT = text("""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
    WHERE locktype = 'advisory' AND objid = CAST(:lock AS bigint) AND granted""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFixture:
    """An empty log with a sequencer."""

    url: str
    engine: AsyncEngine
    hot: HotDatabase
    keys: KeyRing

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        """Rows of an SQL statement."""
        async with self.engine.connect() as connection:
            return list((await connection.execute(text(sql), values)).all())

    async def change(self, sql: str, **values: Any) -> None:
        """Execute SQL directly."""
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)

    async def entries(self) -> list[bytes]:
        """Entries of the log; indices have no gaps."""
        rows = await self.rows("SELECT index, leaf_hash FROM log_entry ORDER BY index")
        assert [row.index for row in rows] == list(range(len(rows)))
        return [row.leaf_hash for row in rows]

    async def pending(self) -> int:
        """Number of pending leaves."""
        [row] = await self.rows("SELECT count(*) AS waiting FROM pending_leaf")
        return int(row.waiting)

    async def emptied(self) -> None:
        """Wait until no leaf is pending."""
        async with asyncio.timeout(PATIENCE):
            while await self.pending():  # noqa: ASYNC110  # the database tells nobody
                await asyncio.sleep(0.02)

    async def whole(self) -> list[bytes]:
        """Entries, with every checkpoint verified."""
        entries = await self.entries()
        checkpoints = await self.rows("SELECT size, root, note FROM checkpoint ORDER BY size")
        for row in checkpoints:
            head = open_note(row.note, origin=ORIGIN, public_key=raw_key(self.keys))
            assert (head.size, head.root) == (row.size, row.root)
            assert row.root == reference_merkle.mth(entries[: row.size])
        assert checkpoints[-1].size == len(entries)
        return entries


@pytest.fixture(scope="module")
def log_url(postgres_url: str) -> str:
    """A database without another sequencer."""
    return asyncio.run(new_database(postgres_url))


@pytest_asyncio.fixture
async def place(log_url: str, tmp_path: Path) -> AsyncIterator[LogFixture]:
    """An empty log."""
    engine = make_engine(log_url, pool_size=8)
    hot = await HotDatabase.open(log_url, size=4)
    made = LogFixture(url=log_url, engine=engine, hot=hot, keys=make_key_ring(tmp_path))
    await made.change(EMPTY)
    yield made
    await hot.close()
    await engine.dispose()


async def test_a_log_begins_with_a_signed_empty_tree(place: LogFixture) -> None:
    """So that an earlier history can be ruled out."""
    await make_sequencer(place.engine, place.keys).round()
    [row] = await place.rows("SELECT size, root, at FROM checkpoint")
    assert (row.size, row.root, row.at) == (0, merkle.EMPTY_ROOT, NOON)
    assert await place.whole() == []


async def test_three_sequencers_at_once_give_each_leaf_one_index(place: LogFixture) -> None:
    """With two concurrent writers: no gap, no duplicate, none missing."""
    sequencers = [make_sequencer(place.engine, place.keys, batch=17) for _ in range(3)]
    writers = [asyncio.create_task(write_disclosures(place.hot, 250)) for _ in range(2)]
    sealing = [asyncio.create_task(run_sequencer(each)) for each in sequencers]
    written = [made for batch in await asyncio.gather(*writers) for made in batch]
    await place.emptied()
    for each in sealing:
        each.cancel()
    await asyncio.gather(*sealing, return_exceptions=True)
    assert sorted(await place.whole()) == sorted(entry for _, entry in written)


async def test_leaves_stand_in_the_order_of_their_time_and_id(place: LogFixture) -> None:
    """Across batches, in any order of writing."""
    late = await write_disclosures(place.hot, 30, moment=NOON + timedelta(seconds=5))
    early = await write_disclosures(place.hot, 30)
    twin = await write_disclosures(place.hot, 30)
    await sequence_all(make_sequencer(place.engine, place.keys, batch=7))
    by_time = sorted([*late, *early, *twin], key=lambda each: (each[0].at, each[0].disclosure_id))
    assert await place.whole() == [entry for _, entry in by_time]


async def test_a_round_that_breaks_loses_nothing_and_doubles_nothing(place: LogFixture) -> None:
    """The clock fails between copying the leaves and signing."""
    good = make_sequencer(place.engine, place.keys, batch=300)
    await write_disclosures(place.hot, 10)
    await good.round()
    before = await place.whole()
    written = await write_disclosures(place.hot, 300)
    with pytest.raises(BrokenClockError):
        await replace(good, now=BrokenClock(failures=1)).round()
    assert (await place.whole(), await place.pending()) == (before, 300)
    await sequence_all(good)
    assert await place.whole() == [*before, *(entry for _, entry in written)]
    assert await place.pending() == 0


async def test_a_sequencer_whose_connection_is_cut_lets_the_next_one_seal(
    place: LogFixture,
) -> None:
    """The server terminates the backend that holds the lock; the round is rolled back."""
    written = await write_disclosures(place.hot, 20)
    cut = CutBeforeSigning(place.url)
    with pytest.raises(Exception, match="connection"):
        await replace(make_sequencer(place.engine, place.keys), now=cut).round()
    assert await place.pending() == 20
    await sequence_all(make_sequencer(place.engine, place.keys))
    assert await place.whole() == [entry for _, entry in written]


async def test_the_loop_goes_on_after_a_failure(place: LogFixture) -> None:
    """At the next round, within a second."""
    assert POLL_SECONDS < 1
    await make_sequencer(place.engine, place.keys).round()
    written = await write_disclosures(place.hot, 5)
    flaky = replace(make_sequencer(place.engine, place.keys), now=BrokenClock(failures=1))
    running = asyncio.create_task(run_sequencer(flaky))
    await place.emptied()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await place.whole() == [entry for _, entry in written]


async def test_a_leaf_that_comes_again_is_not_sealed_again(place: LogFixture) -> None:
    """A restored shard delivers its pending leaves again."""
    await write_disclosures(place.hot, 12)
    sequencer = make_sequencer(place.engine, place.keys, batch=10)
    await sequence_all(sequencer)
    before = await place.whole()
    await place.change("""
        INSERT INTO pending_leaf (uscc, disclosure_id, leaf_hash, at)
        SELECT uscc, disclosure_id, leaf_hash, at FROM disclosure""")
    [fresh] = await write_disclosures(place.hot, 1, moment=NOON + timedelta(days=1))
    await sequence_all(sequencer)
    assert await place.whole() == [*before, fresh[1]]
    assert await place.pending() == 0


async def test_while_one_seals_another_does_nothing(place: LogFixture) -> None:
    """It does not wait, and looks again half a second later."""
    await write_disclosures(place.hot, 3)
    sequencer = make_sequencer(place.engine, place.keys)
    async with place.engine.begin() as other:
        await other.execute(
            text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LockKey.SEQUENCER.value}
        )
        assert await sequencer.round() == 0
        assert await place.pending() == 3
    assert await sequencer.round() == 3


async def test_nothing_new_is_signed_when_nothing_came(place: LogFixture) -> None:
    """No new checkpoint without new leaves."""
    await write_disclosures(place.hot, 1)
    sequencer = make_sequencer(place.engine, place.keys)
    for _ in range(3):
        await sequencer.round()
    assert [row.size for row in await place.rows("SELECT size FROM checkpoint")] == [0, 1]


async def test_the_last_round_seals_what_is_left_and_never_fails(place: LogFixture) -> None:
    """An error at shutdown is logged, and the leaves stay pending."""
    await write_disclosures(place.hot, 9)
    sequencer = make_sequencer(place.engine, place.keys, batch=4)
    await replace(sequencer, now=BrokenClock(failures=1)).last_round()
    assert await place.pending() == 9
    await sequencer.last_round()
    assert await place.pending() == 0


async def test_any_two_checkpoints_are_consistent(place: LogFixture) -> None:
    """By stored tiles, for all pairs, across a full tile's border."""
    written = await write_disclosures(place.hot, 300)
    await sequence_all(make_sequencer(place.engine, place.keys, batch=23))
    assert await place.whole() == [entry for _, entry in written]
    heads = await place.rows("SELECT size, root FROM checkpoint WHERE size > 0 ORDER BY size")
    for new in heads:
        for old in (each for each in heads if each.size <= new.size):
            runs = dict.fromkeys([*proof_runs(old.size - 1, new.size), *proof_runs(0, new.size)])
            node = node_hashes(await read_hashes(place.hot, [*runs]))
            proof = merkle_proofs.consistency_proof(old.size, new.size, node)
            assert merkle_proofs.extends(old.size, old.root, new.size, new.root, proof)


class BrokenClockError(Exception):
    """Error of the failing clock."""


class BrokenClock:
    """Clock that fails a few times."""

    def __init__(self, failures: int) -> None:
        self._failures = failures

    def __call__(self) -> datetime:
        """Noon, or the error."""
        if self._failures:
            self._failures -= 1
            raise BrokenClockError
        return NOON


class CutBeforeSigning:
    """Clock that terminates the sequencer's backend when first read."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self) -> datetime:
        """Noon."""
        with ThreadPoolExecutor(1) as outside:
            outside.submit(asyncio.run, self._cut()).result()
        return NOON

    async def _cut(self) -> None:
        engine = make_engine(self._url, pool_size=1)
        async with engine.begin() as connection:
            await connection.execute(CUT, {"lock": LockKey.SEQUENCER.value})
        await engine.dispose()
