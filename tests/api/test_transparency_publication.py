"""Checkpoint publication: kept outside the database first; a database that lost data is detected."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.background.sequencing import run_sequencer
from gateway.db.engine import make_engine
from gateway.db.prepared import HotDatabase
from gateway.log.reading import published_checkpoint
from gateway.signing.keys import KeyRing, new_key_file
from gateway.transparency.checkpoint_stores import (
    CHECKPOINT_FILE,
    FolderStore,
    StoreError,
    store_for,
)
from gateway.transparency.checkpoints import sign_checkpoint
from gateway.transparency.publication import MAX_FAILING_SECONDS, LogStatus
from gateway.transparency.rollback import LogForkedError
from gateway.transparency.sequencer import Sequencer
from tests.databases import copy_of, new_database
from tests.log_builders import (
    ORIGIN,
    TreeHead,
    make_key_ring,
    make_sequencer,
    on_a_full_disk,
    open_note,
    raw_key,
    sequence_all,
    write_disclosures,
)
from tests.servers.checkpoint_server import make_checkpoint_server

pytestmark = pytest.mark.asyncio


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFixture:
    """A log with its own database, keys and checkpoint folder."""

    url: str
    engine: AsyncEngine
    hot: HotDatabase
    keys: KeyRing
    folder: Path

    @property
    def file(self) -> Path:
        """The kept checkpoint's file."""
        return self.folder / CHECKPOINT_FILE

    def kept(self) -> TreeHead:
        """The kept checkpoint."""
        return open_note(self.file.read_text(), origin=ORIGIN, public_key=raw_key(self.keys))

    async def told(self) -> int | None:
        """Tree size of the published checkpoint."""
        newest = await published_checkpoint(self.hot)
        return None if newest is None else newest.size

    async def grow(self, leaves: int) -> Sequencer:
        """Disclose and sequence more; the sequencer that did it."""
        sequencer = make_sequencer(self.engine, self.keys)
        await write_disclosures(self.hot, leaves)
        await sequence_all(sequencer)
        return sequencer

    async def change(self, sql: str) -> None:
        """Execute SQL directly."""
        async with self.engine.begin() as connection:
            await connection.execute(text(sql))

    async def value(self, sql: str) -> Any:
        """A single value from the database."""
        async with self.engine.connect() as connection:
            return (await connection.execute(text(sql))).scalar_one()


@asynccontextmanager
async def opened(url: str, keys: KeyRing, folder: Path) -> AsyncIterator[LogFixture]:
    """Connections to the database at `url`."""
    engine, hot = make_engine(url, pool_size=4), await HotDatabase.open(url, size=2)
    try:
        yield LogFixture(url=url, engine=engine, hot=hot, keys=keys, folder=folder / "checkpoints")
    finally:
        await hot.close()
        await engine.dispose()


@pytest_asyncio.fixture
async def log(postgres_url: str, tmp_path: Path) -> AsyncIterator[LogFixture]:
    """An empty log."""
    async with opened(await new_database(postgres_url), make_key_ring(tmp_path), tmp_path) as made:
        yield made


@asynccontextmanager
async def restored(
    postgres_url: str, folder: Path, before: int = 19, after: int = 23
) -> AsyncIterator[LogFixture]:
    """A database restored to size `before`, of a log that reached `after`."""
    keys, url = make_key_ring(folder), await new_database(postgres_url)
    async with opened(url, keys, folder) as made:
        await made.grow(before)
    dump = await copy_of(url)
    async with opened(url, keys, folder) as made:
        await made.grow(after - before)
        assert await made.told() == made.kept().size == after
    async with opened(dump, keys, folder) as made:
        yield made


async def refusal(check: Callable[[], Awaitable[object]], error: type[Exception]) -> str:
    """Sentence of the refusal."""
    with pytest.raises(error) as refused:
        await check()
    return str(refused.value)


async def test_a_checkpoint_is_stored_outside_before_it_is_published(log: LogFixture) -> None:
    """From the empty tree on."""
    assert await log.told() is None
    await log.grow(0)
    assert (await log.told(), log.kept().size) == (0, 0)
    await log.grow(19)
    assert (await log.told(), log.kept().size) == (19, 19)


async def test_a_full_store_stops_publication_and_sequencing(
    log: LogFixture,
) -> None:
    """One of two stores is full for a while; afterwards everything is published."""
    sequencer = await log.grow(19)
    with make_checkpoint_server() as server:
        second = store_for(server.url, loopback=True)
        stores = [*sequencer.publisher.stores, second]
        await second.replace(None, log.file.read_bytes())
        sequencer = replace(sequencer, publisher=replace(sequencer.publisher, stores=stores))
        await write_disclosures(log.hot, 4)
        server.put_status = 507
        for _ in range(3):
            with pytest.raises(StoreError, match="It answered 507"):
                await sequencer.round()
            await write_disclosures(log.hot, 1)
        assert (await log.told(), log.kept().size) == (19, 23)
        assert await log.value("SELECT max(size) FROM checkpoint") == 23
        server.put_status = None
        await sequence_all(sequencer)
        assert (await log.told(), log.kept().size) == (26, 26)
        assert server.content == log.file.read_bytes()


async def test_a_kill_between_the_commit_and_the_place_outside_raises_no_alarm(
    log: LogFixture,
) -> None:
    """The checkpoint is only in the database and unpublished; the next start stores it."""
    sequencer = await log.grow(19)
    await write_disclosures(log.hot, 4)
    with pytest.raises(StoreError, match="No space"):
        await on_a_full_disk(sequencer).round()
    assert await log.value("SELECT max(size) FROM checkpoint") == 23
    assert (await log.told(), log.kept().size) == (19, 19)
    after = make_sequencer(log.engine, log.keys)
    await after.publisher.check()
    await after.round()
    assert (await log.told(), log.kept().size) == (23, 23)


async def test_a_kill_between_the_place_outside_and_the_mark_raises_no_alarm(
    log: LogFixture,
) -> None:
    """It is stored, and published at the next look."""
    await log.grow(0)
    await log.grow(23)
    await log.change("UPDATE checkpoint SET published_at = NULL WHERE size > 0")
    assert await log.told() == 0
    after = make_sequencer(log.engine, log.keys)
    await after.publisher.check()
    await after.round()
    assert await log.told() == 23


async def test_workers_of_several_hosts_keep_each_others_checkpoints(log: LogFixture) -> None:
    """An older checkpoint of another worker is no alarm."""
    workers = [make_sequencer(log.engine, log.keys, batch=3) for _ in range(3)]
    for turn in range(6):
        await write_disclosures(log.hot, 4)
        await workers[turn % 3].round()
    await write_disclosures(log.hot, 30)
    running = [asyncio.create_task(run_sequencer(each)) for each in workers]
    async with asyncio.timeout(60):
        while await log.value("SELECT count(*) FROM pending_leaf") or await log.told() != 54:  # noqa: ASYNC110  # the database tells nobody
            await asyncio.sleep(0.02)
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert log.kept().size == 54
    assert all(each.publisher.status.is_fit for each in workers)


async def test_a_restored_database_is_seen_before_anything_is_signed(
    postgres_url: str, tmp_path: Path
) -> None:
    """Dumped at 19, continued to 23: refused with both sizes; nothing is sequenced."""
    async with restored(postgres_url, tmp_path) as log:
        sequencer = make_sequencer(log.engine, log.keys)
        said = await refusal(sequencer.publisher.check, LogForkedError)
        assert "has 19 entries" in said
        assert f"kept at {log.folder} has 23" in said
        assert "docs/operate/backup.md" in said
        await write_disclosures(log.hot, 5)
        for _ in range(2):
            assert await refusal(sequencer.round, LogForkedError) == said
        assert await log.value("SELECT max(size) FROM checkpoint") == 19
        assert await log.value("SELECT count(*) FROM pending_leaf") == 5
        assert log.kept().size == 23


@pytest.mark.parametrize("more", [4, 9])
async def test_a_restored_database_that_has_gone_on_elsewhere_is_seen(
    postgres_url: str, tmp_path: Path, more: int
) -> None:
    """With the same size or larger: the root at the kept size differs."""
    async with restored(postgres_url, tmp_path) as log:
        kept = log.file.read_bytes()
        log.file.unlink()
        await log.change("UPDATE checkpoint SET published_at = NULL")
        await log.grow(more)
        log.file.write_bytes(kept)
        said = await refusal(make_sequencer(log.engine, log.keys).publisher.check, LogForkedError)
        assert f"first 23 of the {19 + more} entries" in said


async def test_a_new_database_under_an_old_log_is_seen(log: LogFixture, postgres_url: str) -> None:
    """Its empty tree is not signed."""
    await log.grow(3)
    async with opened(await new_database(postgres_url), log.keys, log.folder.parent) as other:
        sequencer = make_sequencer(other.engine, other.keys)
        assert "has 0 entries" in await refusal(sequencer.round, LogForkedError)
        assert await other.value("SELECT count(*) FROM checkpoint") == 0


async def test_an_entry_that_was_changed_in_the_database_is_seen(log: LogFixture) -> None:
    """The root is computed from the leaves, not read from the checkpoint's row."""
    sequencer = await log.grow(7)
    await log.change("UPDATE log_entry SET leaf_hash = sha256('other') WHERE index = 3")
    assert "first 7 of the 7" in await refusal(sequencer.round, LogForkedError)


async def test_a_database_restored_under_a_running_worker_stops_its_sealer(log: LogFixture) -> None:
    """At the next look, and for good."""
    sequencer = await log.grow(23)
    running = asyncio.create_task(run_sequencer(sequencer))
    for table in ("checkpoint", "log_entry"):
        column = "size - 1" if table == "checkpoint" else "index"
        await log.change(f"DELETE FROM {table} WHERE {column} >= 19")  # noqa: S608  # a test's own
    await log.change("""
        INSERT INTO checkpoint (size, root, note, at, published_at)
        SELECT 19, sha256(''), 'restored', now(), now()""")
    async with asyncio.timeout(30):
        await running
    assert not sequencer.publisher.status.is_fit
    assert await log.value("SELECT max(size) FROM checkpoint") == 19


async def test_a_running_worker_remembers_the_published_checkpoint(
    postgres_url: str, tmp_path: Path
) -> None:
    """An older checkpoint restored together with its database is detected."""
    async with restored(postgres_url, tmp_path) as log:
        worker = make_sequencer(log.engine, log.keys).publisher
        worker._seen = TreeHead(log.kept().size, log.kept().root)  # type: ignore[assignment]  # a test's own class
        newest = await published_checkpoint(log.hot)
        assert newest is not None
        log.file.write_text(newest.note)
        await make_sequencer(log.engine, log.keys).publisher.check()  # all others are deceived
        said = await refusal(worker.check, LogForkedError)
        assert "kept at the memory of this running worker has 23" in said


@pytest.mark.parametrize("loss", ["emptied", "put back", "not mounted"])
async def test_a_place_that_lost_its_checkpoint_is_not_begun_anew(
    postgres_url: str, tmp_path: Path, loss: str
) -> None:
    """Nothing is sequenced until an operator decides."""
    keys, url = make_key_ring(tmp_path), await new_database(postgres_url)
    async with opened(url, keys, tmp_path) as log:
        await log.grow(19)
        older = log.file.read_bytes()
        sequencer = await log.grow(4)
        await write_disclosures(log.hot, 2)
        if loss == "emptied":
            log.file.unlink()
        elif loss == "put back":
            log.file.write_bytes(older)
        else:
            shutil.rmtree(log.folder)
        said = await refusal(sequencer.round, StoreError)
        assert str(log.folder) in said
        if loss != "not mounted":
            assert "`xinqiao-gateway log put-checkpoint`" in said
            assert "published one has 23" in said
        assert await log.value("SELECT max(size) FROM checkpoint") == 23


async def test_a_rotated_key_still_verifies_its_signatures(log: LogFixture) -> None:
    """Also keys that are in the file and not valid yet, since another host may use them."""
    sequencer = await log.grow(3)
    assert log.keys._path is not None
    fresh = KeyRing.read(_file(log.folder.parent / "other.json"))
    key = next(each for each in fresh._keys if each.use == "log")
    log.file.write_text(sign_checkpoint(ORIGIN, 3, log.kept().root, key))
    assert "no key of this log" in await refusal(sequencer.publisher.check, StoreError)
    merged = KeyRing([*log.keys._keys, *fresh._keys])
    await replace(sequencer.publisher, keys=merged).check()


def _file(path: Path) -> Path:
    path.write_text(new_key_file())
    return path


async def test_a_forged_foreign_or_unreadable_note_is_no_checkpoint(log: LogFixture) -> None:
    """Write access to the folder can stop the log, nothing more."""
    sequencer = await log.grow(3)
    whole = log.file.read_bytes()
    for content in (
        whole.replace(b"\n3\n", b"\n2\n"),
        whole.replace(b"credit.test", b"other.test"),
        whole + whole,
        b"",
        b"x" * (1 << 20),
    ):
        log.file.write_bytes(content)
        assert str(log.folder) in await refusal(sequencer.round, StoreError)
    log.file.write_bytes(whole)
    await sequencer.round()


async def test_any_one_of_several_places_that_is_ahead_stops_the_log(
    postgres_url: str, tmp_path: Path
) -> None:
    """Though another store was restored too, or is down."""
    async with restored(postgres_url, tmp_path) as log:
        publisher = make_sequencer(log.engine, log.keys).publisher
        second = log.folder.parent / "second"
        second.mkdir()
        newest = await published_checkpoint(log.hot)
        assert newest is not None
        (second / CHECKPOINT_FILE).write_text(newest.note)
        stores = [FolderStore(folder=second), FolderStore(folder=second / "gone")]
        for others in (stores[:1], stores[1:], stores):
            both = replace(publisher, stores=[*others, *publisher.stores])
            assert "has 23" in await refusal(both.check, LogForkedError)


async def test_unfit_places_are_borne_for_some_seconds_and_a_fork_not_at_all() -> None:
    """Half of the ten seconds that answers promise for their leaf."""
    now = 0.0
    status = LogStatus(clock=lambda: now)
    assert status.fail("down")
    now = MAX_FAILING_SECONDS
    assert not status.fail("down"), "the same trouble is no news"
    assert status.is_fit
    now += 0.5
    status.fail("down")
    assert not status.is_fit
    status.succeed()
    assert status.is_fit
    status.fail("down")
    now += 3600.0  # the process was stopped, or its machine slept: nobody has looked meanwhile
    assert status.is_fit
    status.fork()
    status.succeed()
    assert not status.is_fit
