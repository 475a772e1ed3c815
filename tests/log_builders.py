"""Log builders: a transparency log in its own database, and an independent reader of it."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.db.engine import make_engine
from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.disclosure import change_feed
from gateway.disclosure.commit import log_refusal
from gateway.disclosure.ids import new_id
from gateway.signing.keys import KeyRing, new_key_file
from gateway.transparency.checkpoint_stores import (
    CheckpointStore,
    StoredCheckpoint,
    StoreError,
    store_for,
)
from gateway.transparency.checkpoints import origin_of
from gateway.transparency.disclosure_leaf import Disclosure, leaf_hash
from gateway.transparency.publication import Publisher
from gateway.transparency.sequencer import Sequencer
from tests import reference_merkle

ISSUER = "https://credit.test"
ORIGIN = "credit.test/log"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
SALT_OF = Statement("SELECT salt FROM disclosure_salt WHERE disclosure_id = :disclosure_id")
LOG = "pending_leaf, log_entry, log_node, checkpoint"
EMPTY = f"TRUNCATE disclosure, disclosure_salt, {LOG}"


def make_key_ring(folder: Path) -> KeyRing:
    """New keys, valid since yesterday."""
    file = folder / "keys.json"
    file.write_text(new_key_file(NOON - timedelta(days=1)))
    return KeyRing.read(file)


async def begin_anew(url: str) -> None:
    """Empty the log at `url`, so that one with other keys or another name can begin."""
    engine = make_engine(url, pool_size=1)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {LOG}"))
    await engine.dispose()


def make_checkpoint_folder(folder: Path) -> str:
    """Folder of the kept checkpoint, created if missing."""
    made = folder / "checkpoints"
    made.mkdir(exist_ok=True)
    return str(made)


def make_sequencer(engine: AsyncEngine, keys: KeyRing, *, batch: int = 50) -> Sequencer:
    """A sequencer at noon; checkpoints are kept beside the key file."""
    assert keys._path is not None
    origin = origin_of(ISSUER)
    publisher = Publisher(
        engine=engine,
        keys=keys,
        origin=origin,
        stores=[store_for(make_checkpoint_folder(keys._path.parent), loopback=False)],
        now=lambda: NOON,
    )
    return Sequencer(
        engine=engine,
        keys=keys,
        origin=origin,
        publisher=publisher,
        number_notices=change_feed.assign_cursors,
        now=lambda: NOON,
        batch=batch,
    )


class FullStore:
    """Checkpoint store that can be read but not written."""

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store
        self.name = store.name

    async def read(self) -> StoredCheckpoint | None:
        """Read from the real store."""
        return await self._store.read()

    async def replace(self, _kept: StoredCheckpoint | None, _content: bytes) -> None:
        """Fail: no space left."""
        raise StoreError(f"{self.name} cannot be used: No space left on device.")


def on_a_full_disk(sequencer: Sequencer) -> Sequencer:
    """The same sequencer over a full checkpoint store, so that nothing is published."""
    full = [FullStore(each) for each in sequencer.publisher.stores]
    return replace(sequencer, publisher=replace(sequencer.publisher, stores=full))


async def write_disclosures(
    hot: HotDatabase,
    count: int,
    *,
    client_id: str = "bank",
    moment: datetime = NOON,
) -> list[tuple[Disclosure, bytes]]:
    """Write disclosures as the gateway does; the log entry of each."""
    made = []
    for number in range(count):
        disclosure = Disclosure(
            disclosure_id=new_id("dsc"),
            uscc=f"91330106MA2CXX{number % 7:02}16",
            client_id=client_id,
            kind="query",
            outcome="told",
            purpose="loan_approval",
            asked=["registration"],
            at=moment + timedelta(milliseconds=number),
        )
        await log_refusal(hot, disclosure)  # the write of a disclosure and no more
        salt = await hot.row(SALT_OF, {"disclosure_id": disclosure.disclosure_id})
        assert salt is not None
        made.append((disclosure, leaf_hash(disclosure, salt["salt"])))
    return made


async def sequence_all(sequencer: Sequencer) -> None:
    """Sequence until no leaf is pending."""
    while await sequencer.round():
        pass


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Tree head of a verified checkpoint."""

    size: int
    root: bytes


def open_note(note: str, *, origin: str, public_key: bytes) -> TreeHead:
    """Verify a signed note (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""
    signed, _, signatures = note.rpartition("\n\n")
    signed += "\n"
    key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public_key).digest()[:4]
    known = []
    for line in signatures.removesuffix("\n").split("\n"):
        dash, name, blob = line.split(" ")
        raw = base64.b64decode(blob, validate=True)
        if (dash, name, raw[:4]) == ("\u2014", origin, key_id):
            known.append(raw[4:])
    assert len(known) == 1, "one signature of the known key"
    Ed25519PublicKey.from_public_bytes(public_key).verify(known[0], signed.encode())
    first, size, root = signed.removesuffix("\n").split("\n")
    assert first == origin
    assert str(int(size)) == size
    return TreeHead(int(size), base64.b64decode(root, validate=True))


def raw_key(keys: KeyRing) -> bytes:
    """The log's raw public key from the published JWK set."""
    [jwk] = [each for each in keys.published()["keys"] if each["xinqiao_use"] == "log"]
    return base64.urlsafe_b64decode(jwk["x"] + "=")


async def downloaded_entries(http: httpx2.AsyncClient, size: int) -> list[bytes]:
    """All entries of the log, each bundle checked against its tile of leaf hashes."""
    entries: list[bytes] = []
    while len(entries) < size:
        width = min(256, size - len(entries))
        path = f"{len(entries) // 256:03}" + (f".p/{width}" if width < 256 else "")
        bundle = (await http.get(f"/log/entries/{path}")).raise_for_status().content
        tile = (await http.get(f"/log/tile/0/{path}")).raise_for_status().content
        found = list(_unbundled(bundle))
        assert tile == b"".join(reference_merkle.mth([entry]) for entry in found)
        entries += found
    return entries


def _unbundled(bundle: bytes) -> Iterator[bytes]:
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        yield bundle[2 : 2 + length]
        bundle = bundle[2 + length :]
