"""A receipt shows one leaf in the tree of one signed checkpoint; it can be verified offline."""

from dataclasses import dataclass

from gateway.db.hot import HotDatabase
from gateway.disclosure.kept_tree import hashes_of
from gateway.disclosure.merkle import inclusion_proof
from gateway.disclosure.tiles import around, nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A leaf of the log: what it holds and where it stands."""

    leaf_hash: bytes
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed tree head."""

    size: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An entry, a checkpoint, and the proof that the one is under the other."""

    entry: Entry
    checkpoint: Checkpoint
    inclusion_proof: tuple[bytes, ...]


async def receipt_for(hot: HotDatabase, entry: Entry, checkpoint: Checkpoint) -> Receipt:
    """The receipt of `entry` under a `checkpoint` that covers it."""
    hashes = await hashes_of(hot, around(entry.index, checkpoint.size))
    proof = inclusion_proof(entry.index, checkpoint.size, nodes(hashes))
    return Receipt(entry=entry, checkpoint=checkpoint, inclusion_proof=tuple(proof))
