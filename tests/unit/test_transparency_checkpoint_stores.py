"""Checkpoint stores, folder and HTTP: atomic reads, compare-and-set writes."""

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.transparency.checkpoint_stores import (
    CHECKPOINT_FILE,
    LOCK_FILE,
    NEW_FILE,
    CheckpointStore,
    FolderStore,
    HttpsStore,
    StoreChangedError,
    StoredCheckpoint,
    StoreError,
    store_for,
)
from gateway.transparency.checkpoints import LARGEST_NOTE
from tests.servers.checkpoint_server import CheckpointServer, make_checkpoint_server

pytestmark = pytest.mark.asyncio


@pytest.fixture
def server() -> Iterator[CheckpointServer]:
    """A store over HTTP."""
    with make_checkpoint_server() as made:
        yield made


@pytest.fixture(params=["folder", "conditional", "unconditional"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CheckpointStore]:
    """Each kind of store, empty."""
    if request.param == "folder":
        yield store_for(str(tmp_path), loopback=False)
        return
    with make_checkpoint_server() as made:
        made.conditional = request.param == "conditional"
        yield store_for(made.url, loopback=True)


async def content_of(store: CheckpointStore) -> bytes | None:
    """Stored content."""
    kept = await store.read()
    return None if kept is None else kept.content


async def test_a_stored_checkpoint_is_read_and_replaced(store: CheckpointStore) -> None:
    """From empty to one checkpoint, and to the next."""
    assert await store.read() is None
    await store.replace(None, b"19")
    assert await content_of(store) == b"19"
    await store.replace(await store.read(), b"23")
    assert await content_of(store) == b"23"


async def test_a_late_writer_does_not_put_an_older_checkpoint_back(store: CheckpointStore) -> None:
    """The second of two concurrent writes is refused."""
    nothing = await store.read()
    await store.replace(nothing, b"19")
    with pytest.raises(StoreChangedError):
        await store.replace(nothing, b"17")
    read_by_both = await store.read()
    await store.replace(read_by_both, b"23")
    with pytest.raises(StoreChangedError):
        await store.replace(read_by_both, b"21")
    assert await content_of(store) == b"23"


async def test_one_of_concurrent_writers_wins_with_a_complete_write(tmp_path: Path) -> None:
    """Each with a store object of its own."""
    contents = [str(number).encode() * 200 for number in range(8)]
    stores = [FolderStore(folder=tmp_path) for _ in contents]
    outcomes = await asyncio.gather(
        *(store.replace(None, content) for store, content in zip(stores, contents, strict=True)),
        return_exceptions=True,
    )
    winners = [c for c, outcome in zip(contents, outcomes, strict=True) if outcome is None]
    assert all(isinstance(each, StoreChangedError) for each in outcomes if each is not None)
    assert [await content_of(stores[0])] == winners
    assert not (tmp_path / NEW_FILE).exists()


async def test_a_killed_writer_blocks_no_other(tmp_path: Path) -> None:
    """Its temporary file is removed by the next writer."""
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"19")
    (tmp_path / NEW_FILE).write_bytes(b"2")
    (tmp_path / LOCK_FILE).touch()
    store = FolderStore(folder=tmp_path)
    await store.replace(StoredCheckpoint(content=b"19"), b"23")
    assert await content_of(store) == b"23"
    assert not (tmp_path / NEW_FILE).exists()


async def test_a_command_run_as_root_does_not_lock_the_gateway_out(tmp_path: Path) -> None:
    """The new file belongs to the folder's owner."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 1234, 1234)
    await FolderStore(folder=tmp_path).replace(None, b"23")
    owner = 1234 if os.geteuid() == 0 else os.geteuid()
    assert (tmp_path / LOCK_FILE).stat().st_uid == owner


async def test_a_folder_that_is_not_there_is_no_empty_store(tmp_path: Path) -> None:
    """An unmounted share would begin anew on each host."""
    store = FolderStore(folder=tmp_path / "mnt")
    with pytest.raises(StoreError, match=r"mnt cannot be used: No such file or directory\."):
        await store.read()
    with pytest.raises(StoreError):
        await store.replace(None, b"23")
    assert not (tmp_path / "mnt").exists()


def _huge(file: Path) -> None:
    file.touch()
    os.truncate(file, 1 << 40)


def _link(file: Path) -> None:
    (file.parent / "elsewhere").write_bytes(b"23")
    file.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_link, "symbolic link"),
        (os.mkfifo, "no ordinary file"),
        (Path.mkdir, "no ordinary file"),
        (lambda file: file.write_bytes(b"x" * (LARGEST_NOTE + 1)), "larger than"),
        (_huge, "larger than"),
    ],
)
async def test_links_pipes_and_huge_files_are_not_read(
    tmp_path: Path, make: object, why: str
) -> None:
    """A link, a pipe, a huge file."""
    assert callable(make)
    make(tmp_path / CHECKPOINT_FILE)
    with pytest.raises(StoreError, match=why):
        await FolderStore(folder=tmp_path).read()


async def test_a_link_in_place_of_a_file_of_the_store_is_not_written_through(
    tmp_path: Path,
) -> None:
    """Neither the file nor the lock."""
    other = tmp_path / "other"
    other.write_bytes(b"mine")
    (tmp_path / NEW_FILE).symlink_to(other)
    store = FolderStore(folder=tmp_path)
    await store.replace(None, b"23")
    (tmp_path / LOCK_FILE).unlink()
    (tmp_path / LOCK_FILE).symlink_to(other)
    with pytest.raises(StoreError):
        await store.replace(StoredCheckpoint(content=b"23"), b"24")
    assert (other.read_bytes(), await content_of(store)) == (b"mine", b"23")


@pytest.mark.parametrize("status", [204, 301, 302, 307, 401, 403, 500, 503])
async def test_an_answer_that_is_neither_content_nor_absence_is_an_error(
    server: CheckpointServer, status: int
) -> None:
    """Redirects are not followed, and a refusal is not an empty store."""
    server.status, server.location = status, f"{server.origin}/elsewhere"
    store = store_for(server.url, loopback=True)
    with pytest.raises(StoreError, match=f"log/checkpoint cannot be used: It answered {status}"):
        await store.read()


async def test_a_put_that_is_not_taken_is_an_error(server: CheckpointServer) -> None:
    """Any status but 200, 201 and 204."""
    store, server.content = store_for(server.url, loopback=True), b"19"
    kept = await store.read()
    assert kept is not None
    server.before_put = [b"21"]  # after the second look, just before the write
    with pytest.raises(StoreChangedError):
        await store.replace(kept, b"23")
    assert server.content == b"21"
    server.status = 507
    with pytest.raises(StoreError):
        await store.replace(StoredCheckpoint(content=b"21"), b"23")


async def test_an_answer_without_end_is_not_read(server: CheckpointServer) -> None:
    """Notes have a few hundred bytes."""
    server.content = b"x" * (LARGEST_NOTE + 1)
    with pytest.raises(StoreError, match="more than"):
        await store_for(server.url, loopback=True).read()


async def test_a_store_that_is_down_is_an_error() -> None:
    """Not an empty store."""
    with make_checkpoint_server() as server:
        store = HttpsStore(url=server.url, loopback=True)
    with pytest.raises(StoreError, match="cannot be reached"):
        await store.read()


async def test_plain_http_is_for_loopback_in_the_demo_only(server: CheckpointServer) -> None:
    """Other answers could be forged."""
    with pytest.raises(StoreError, match="https"):
        await store_for(server.url, loopback=False).read()


async def test_a_share_that_hangs_holds_up_one_thread_and_no_caller(tmp_path: Path) -> None:
    """Each caller gets a timeout, and no second thread is started."""
    store, answered = FolderStore(folder=tmp_path, timeout=0.05), threading.Event()
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(StoreError, match="did not answer within"):
            await store._in_time(answered.wait)
    assert threading.active_count() == before + 1
    answered.set()
    await FolderStore.read(replace(store, timeout=20))


async def test_credentials_are_sent_and_never_shown(server: CheckpointServer) -> None:
    """HTTP Basic from the URL; the query may hold a secret too."""
    address = server.url.replace("://", "://keeper:p%40ss@") + "?sig=hunter2"
    store = store_for(address, loopback=True)
    assert await store.read() is None
    assert server.authorization == ["Basic a2VlcGVyOnBAc3M="]
    server.status = 403
    with pytest.raises(StoreError) as refused:
        await store.read()
    for secret in ("p@ss", "p%40ss", "keeper", "hunter2"):
        assert secret not in str(refused.value) + store.name
