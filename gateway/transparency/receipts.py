"""A receipt shows one leaf in the tree of one signed checkpoint; it can be verified offline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.transparency.merkle import inclusion_proof
from gateway.transparency.tiles import Hashes, around, nodes
from gateway.transparency.tree_store import hashes_of


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


# A checkpoint that is not published yet may cover some of the entries: they wait for it.
_ENTRIES: Final = Statement("""
    SELECT (SELECT jsonb_agg(jsonb_build_object(
                'leaf_id', e.disclosure_id, 'index', e.index,
                'leaf_hash', encode(e.leaf_hash, 'hex')) ORDER BY e.index)
            FROM log_entry e
            WHERE e.uscc = CAST(:uscc AS text)
              AND e.disclosure_id = ANY(CAST(:leaf_ids AS text[]))) AS entries,
           (SELECT jsonb_build_object('size', c.size, 'note', c.note)
            FROM checkpoint c WHERE c.published_at IS NOT NULL
            ORDER BY c.size DESC LIMIT 1) AS checkpoint""")


async def receipt_for(hot: HotDatabase, entry: Entry, checkpoint: Checkpoint) -> Receipt:
    """The receipt of `entry` under a `checkpoint` that covers it."""
    hashes = await hashes_of(hot, around(entry.index, checkpoint.size))
    return _receipt(hashes, entry, checkpoint)


async def receipts_of(
    hot: HotDatabase, uscc: str, leaf_ids: Iterable[str]
) -> Mapping[str, Receipt]:
    """Receipts of those leaves of one enterprise that are merged, in the log's order, by name."""
    row = await hot.row(_ENTRIES, {"uscc": uscc, "leaf_ids": list(leaf_ids)})
    if row is None or row["entries"] is None or row["checkpoint"] is None:
        return {}
    checkpoint = Checkpoint(**orjson.loads(row["checkpoint"]))
    entries = {
        each["leaf_id"]: Entry(index=each["index"], leaf_hash=bytes.fromhex(each["leaf_hash"]))
        for each in orjson.loads(row["entries"])
        if each["index"] < checkpoint.size
    }
    runs = [run for each in entries.values() for run in around(each.index, checkpoint.size)]
    hashes = await hashes_of(hot, runs)
    return {name: _receipt(hashes, entry, checkpoint) for name, entry in entries.items()}


def written(receipt: Receipt, *, of: str, log: str) -> dict[str, Any]:
    """A receipt as it is given to whom it concerns; hashes in lower-case hexadecimal."""
    return {
        "disclosure_id": of,
        "log": log,
        "leaf_hash": receipt.entry.leaf_hash.hex(),
        "leaf_index": receipt.entry.index,
        "tree_size": receipt.checkpoint.size,
        "inclusion_proof": [each.hex() for each in receipt.inclusion_proof],
        "checkpoint": receipt.checkpoint.note,
    }


def _receipt(hashes: Hashes, entry: Entry, checkpoint: Checkpoint) -> Receipt:
    proof = inclusion_proof(entry.index, checkpoint.size, nodes(hashes))
    return Receipt(entry=entry, checkpoint=checkpoint, inclusion_proof=tuple(proof))
