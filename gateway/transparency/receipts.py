"""Receipts: inclusion proof of a leaf under a signed checkpoint, verifiable offline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.db.prepared import HotDatabase
from gateway.db.statements import Statement
from gateway.transparency.merkle import inclusion_proof
from gateway.transparency.tiles import Hashes, node_hashes, proof_runs
from gateway.transparency.tree_store import read_hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A log entry: its leaf hash and index."""

    leaf_hash: bytes
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed tree head."""

    size: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An entry, a checkpoint, and the inclusion proof."""

    entry: Entry
    checkpoint: Checkpoint
    inclusion_proof: tuple[bytes, ...]


PUBLISHED_CHECKPOINT: Final = """(
    SELECT jsonb_build_object('size', c.size, 'note', c.note)
    FROM checkpoint c WHERE c.published_at IS NOT NULL ORDER BY c.size DESC LIMIT 1)"""
"""SQL of the newest published `Checkpoint` as jsonb; entries beyond it have no receipt yet."""

_ENTRIES: Final = Statement(f"""
    SELECT (SELECT jsonb_agg(jsonb_build_object(
                'leaf_id', e.disclosure_id, 'index', e.index,
                'leaf_hash', encode(e.leaf_hash, 'hex')) ORDER BY e.index)
            FROM log_entry e
            WHERE e.uscc = CAST(:uscc AS text)
              AND e.disclosure_id = ANY(CAST(:leaf_ids AS text[]))) AS entries,
           {PUBLISHED_CHECKPOINT} AS checkpoint""")  # noqa: S608  # constants


async def receipt_for(hot: HotDatabase, entry: Entry, checkpoint: Checkpoint) -> Receipt:
    """The receipt of `entry` under a `checkpoint` that covers it."""
    hashes = await read_hashes(hot, proof_runs(entry.index, checkpoint.size))
    return _receipt(hashes, entry, checkpoint)


async def receipts_of(
    hot: HotDatabase, uscc: str, leaf_ids: Iterable[str]
) -> Mapping[str, Receipt]:
    """Receipts of the merged ones among an enterprise's leaves, by leaf id, in the log's order."""
    row = await hot.row(_ENTRIES, {"uscc": uscc, "leaf_ids": list(leaf_ids)})
    if row is None or row["entries"] is None or row["checkpoint"] is None:
        return {}
    checkpoint = Checkpoint(**orjson.loads(row["checkpoint"]))
    entries = {
        each["leaf_id"]: Entry(index=each["index"], leaf_hash=bytes.fromhex(each["leaf_hash"]))
        for each in orjson.loads(row["entries"])
        if each["index"] < checkpoint.size
    }
    runs = [run for each in entries.values() for run in proof_runs(each.index, checkpoint.size)]
    hashes = await read_hashes(hot, runs)
    return {name: _receipt(hashes, entry, checkpoint) for name, entry in entries.items()}


def receipt_document(receipt: Receipt, *, leaf_id: str, log: str) -> dict[str, Any]:
    """A receipt as JSON; hashes in lower-case hexadecimal."""
    return {
        "disclosure_id": leaf_id,
        "log": log,
        "leaf_hash": receipt.entry.leaf_hash.hex(),
        "leaf_index": receipt.entry.index,
        "tree_size": receipt.checkpoint.size,
        "inclusion_proof": [each.hex() for each in receipt.inclusion_proof],
        "checkpoint": receipt.checkpoint.note,
    }


def _receipt(hashes: Hashes, entry: Entry, checkpoint: Checkpoint) -> Receipt:
    proof = inclusion_proof(entry.index, checkpoint.size, node_hashes(hashes))
    return Receipt(entry=entry, checkpoint=checkpoint, inclusion_proof=tuple(proof))
