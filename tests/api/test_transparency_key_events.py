"""Key events: a key signs only after its event is a log leaf; the leaf can be recomputed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from typer.testing import CliRunner

from gateway.background.key_event_writer import KeyEventWriter
from gateway.cli.main import app
from gateway.signing.keys import KeyRing
from gateway.transparency.sequencer import Sequencer
from tests import reference_merkle
from tests.databases import new_database
from tests.gateway_fixture import GatewayFixture
from tests.log_builders import (
    make_key_ring,
    make_sequencer,
    open_note,
    raw_key,
    sequence_all,
)
from tests.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFixture:
    """A log of its own and a key file."""

    engine: AsyncEngine
    sequencer: Sequencer
    folder: Path

    @property
    def file(self) -> Path:
        """The key file."""
        return self.folder / "keys.json"

    def worker(self) -> tuple[KeyRing, KeyEventWriter]:
        """Signing state of a worker."""
        ring = KeyRing.read(self.file)
        return ring, KeyEventWriter(engine=self.engine, keys=ring, now=lambda: datetime.now(UTC))

    def rotate(self, *options: str) -> None:
        """Rotate the keys."""
        done = CliRunner().invoke(app, ["keys", "rotate", "--file", str(self.file), *options])
        assert done.exit_code == 0, done.output

    async def told(self) -> list[dict[str, Any]]:
        """Sequenced key events; each leaf is recomputed from published data."""
        await sequence_all(self.sequencer)
        async with self.engine.connect() as connection:
            rows = await connection.execute(
                text("""SELECT v.event, v.salt, e.leaf_hash FROM log_entry e
                        JOIN log_event v ON v.event_id = e.disclosure_id ORDER BY e.index""")
            )
            found = list(rows)
            [[entries]] = await connection.execute(text("SELECT count(*) FROM log_entry"))
        assert entries == len(found)
        for event, salt, leaf in found:
            assert hashlib.sha256(salt + event).digest() == leaf
        return [orjson.loads(event) for event, _, _ in found]


@pytest.fixture(scope="module")
def own_url(postgres_url: str) -> str:
    """A database without another sequencer."""
    return asyncio.run(new_database(postgres_url))


@pytest_asyncio.fixture(loop_scope="session")
async def place(own_url: str, tmp_path: Path) -> AsyncIterator[LogFixture]:
    """An empty log and new keys."""
    engine = create_async_engine(own_url)
    ring = make_key_ring(tmp_path)
    tables = "pending_leaf, log_entry, log_node, checkpoint"
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE log_event DISABLE TRIGGER USER"))
        await connection.execute(text(f"TRUNCATE log_event, {tables}"))
        await connection.execute(text("ALTER TABLE log_event ENABLE TRIGGER USER"))
    yield LogFixture(engine=engine, sequencer=make_sequencer(engine, ring), folder=tmp_path)
    await engine.dispose()


def _named(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["event"], event["use"]) for event in events]


async def test_workers_that_start_at_once_leave_one_leaf_each(place: LogFixture) -> None:
    """Published before use; a restart adds none."""
    workers = [place.worker()[1] for _ in range(4)]
    await asyncio.gather(*(worker.note() for worker in workers))
    await place.worker()[1].note()
    uses = ("log", "response", "token")
    what = ("key.published", "key.in_use")
    found = _named(await place.told())
    assert found == [(each, use) for each in what for use in uses]


@pytest.mark.parametrize("options", [("--in", "1"), ("--at-once",)])
async def test_a_rotated_key_does_not_sign_before_its_leaf_is_committed(
    place: LogFixture, options: tuple[str, ...]
) -> None:
    """The worker uses the previous keys until then."""
    ring, events = place.worker()
    await events.note()
    before = ring.published()
    signing = ring.current("response", datetime.now(UTC)).kid
    place.rotate("--use", "response", *options)
    assert ring.published() == before
    assert ring.current("response", datetime.now(UTC)).kid == signing
    await events.note()
    assert len(ring.published()["keys"]) == 4
    now = ring.current("response", datetime.now(UTC)).kid
    assert (now != signing) == (options == ("--at-once",))
    added = (await place.told())[6:]
    after = ["key.published", "key.in_use", "key.retired"]
    assert sorted(each["event"] for each in added) == sorted(after[: 3 if now != signing else 1])
    assert added[0]["jwk"].keys() == {"kty", "crv", "x"}


async def test_a_new_key_stays_unused_while_the_log_cannot_be_written(place: LogFixture) -> None:
    """No leaf, no signature; one leaf once the log is writable."""
    ring, events = place.worker()
    await events.note()
    place.rotate("--use", "token", "--at-once")
    signing = ring.current("token", datetime.now(UTC)).kid
    rename = "ALTER TABLE {} RENAME TO {}"
    async with place.engine.begin() as connection:
        await connection.execute(text(rename.format("pending_leaf", "gone")))
    try:
        with pytest.raises(SQLAlchemyError):
            await events.note()
        assert ring.current("token", datetime.now(UTC)).kid == signing
    finally:
        async with place.engine.begin() as connection:
            await connection.execute(text(rename.format("gone", "pending_leaf")))
    await events.note()
    assert ring.current("token", datetime.now(UTC)).kid != signing
    published = [each for each in await place.told() if each["event"] == "key.published"]
    assert len(published) == 4


async def test_a_keys_events_can_be_checked_in_the_log_without_sign_in(
    gateway: GatewayFixture,
) -> None:
    """From event and salt to the root under the log's signature, without sign-in."""
    async with asyncio.timeout(PATIENCE):
        while True:
            told = (await gateway.http.get("/log/events")).raise_for_status().json()
            if all(each["leaf_index"] is not None for each in told["events"]):
                break
            await asyncio.sleep(0.1)
    events = [orjson.loads(each["event"]) for each in told["events"]]
    for use in ("token", "response", "log"):
        kid = gateway.runtime.keys.current(use, gateway.clock()).kid
        mine = [each["event"] for each in events if each["kid"] == kid]
        assert mine[:2] == ["key.published", "key.in_use"]
    origin = gateway.issuer.removeprefix("http://").removeprefix("https://") + "/log"
    for each in told["events"][:6]:
        leaf = hashlib.sha256(bytes.fromhex(each["salt"]) + each["event"].encode()).digest()
        assert leaf.hex() == each["leaf_hash"]
        answer = await gateway.http.get(f"/log/events/{each['event_id']}")
        receipt = answer.raise_for_status().json()
        key = raw_key(gateway.runtime.keys)
        head = open_note(receipt["checkpoint"], origin=origin, public_key=key)
        proof = [bytes.fromhex(step) for step in receipt["inclusion_proof"]]
        root = reference_merkle.root_from_path(leaf, receipt["leaf_index"], head.size, proof)
        assert root == head.root
    for wrong in ("evt_nobody", "dsc_x", "%20", "x" * 65):
        assert (await gateway.http.get(f"/log/events/{wrong}")).status_code == 404


async def test_an_act_or_a_disclosure_is_no_public_event(gateway: GatewayFixture) -> None:
    """Their receipts need authentication."""
    bank = await gateway.client()
    told = (await bank.verify(gateway.uscc("clean"), "is_active.v1")).json()
    await asyncio.sleep(1)
    assert (await gateway.http.get(f"/log/events/{told['disclosure_id']}")).status_code == 404
