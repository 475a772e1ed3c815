"""Inclusion promises of answers, and verification of their receipts from the transparency log.

A receipt must show, in this order:

1. the leaf is the one that the answer promised
2. the receipt names this issuer's log, the checkpoint too, and one of its log keys signed that
3. the proof leads from the leaf to the checkpoint's root (RFC 9162 §2.1.3.2)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from xinqiao._core.transport.api_call import call
from xinqiao._core.transport.retry import utc_time
from xinqiao._core.transport.verify_response import trusted_keys
from xinqiao._core.wire.json_reader import Reader
from xinqiao._core.wire.serialization import Serializable
from xinqiao._core.wire.strict import parse_base64, parse_sha256
from xinqiao.errors import NotFound, PromiseBroken, ReceiptInvalid

if TYPE_CHECKING:
    from xinqiao._core.flow import Flow
    from xinqiao._core.session import Session
    from xinqiao._core.wire.results import LogPromise

    from .answer import Evidence

#: Promises that one client remembers; the oldest are dropped first.
MAX_PROMISES: Final = 10_000
_KEY_HASH: Final = 4
#: Lines of a checkpoint at least: origin, size and root (c2sp.org/tlog-checkpoint).
_LINES: Final = 3
_ED25519: Final = b"\x01"
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
#: A line of a signed note (c2sp.org/signed-note).
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromisedLeaf(Serializable):
    """The inclusion promise of one answer, with the answer's evidence."""

    disclosure_id: str
    promise: LogPromise
    evidence: Evidence = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Serializable):
    """A verified receipt: proof that a disclosure is in the log."""

    disclosure_id: str
    leaf_hash: str
    leaf_index: int
    tree_size: int
    checkpoint: str
    evidence: Evidence = field(repr=False, compare=False)


def remember_promise(
    session: Session, disclosure_id: str, promise: LogPromise | None, evidence: Evidence
) -> None:
    """Remember a promise until its receipt is checked."""
    if promise is None or promise.merge_by is None:
        return
    session.promises[disclosure_id] = PromisedLeaf(
        disclosure_id=disclosure_id, promise=promise, evidence=evidence
    )
    while len(session.promises) > MAX_PROMISES:
        session.promises.pop(next(iter(session.promises)), None)


def check_receipts(session: Session) -> Flow[tuple[Receipt, ...]]:
    """Fetch and verify the receipt of each answer whose promise is due, and return them.

    A promise is due about ten seconds after its answer (`result.log_promise.merge_by`): asked before, there
    is no receipt to return, and none is missing; ask again later, once for all answers of a minute, say.
    Raises `PromiseBroken` where the log lacks a leaf after its time, and `ReceiptInvalid` where a
    receipt does not show it; the promise stays, and with it the evidence. What is not due stays.
    """
    now = utc_time(session.now())
    due = [
        each
        for each in list(session.promises.values())
        if each.promise.merge_by is not None and each.promise.merge_by <= now
    ]
    found = []
    for each in due:
        found.append((yield from _fetch_receipt(session, each)))
        session.promises.pop(each.disclosure_id, None)
    return tuple(found)


def _fetch_receipt(session: Session, promised: PromisedLeaf) -> Flow[Receipt]:
    path = f"/v1/receipts/{quote(promised.disclosure_id, safe='')}"
    scope = "query" if "/v1/queries" in promised.evidence.exchange.target_uri else "verify"
    try:
        evidence = yield from call(session, "GET", path, scope=scope)
    except NotFound:
        raise PromiseBroken(promised=promised) from None
    keys = yield from trusted_keys(session)
    log = f"{session.settings.issuer}/log"
    return verified_receipt(evidence, promised, log=log, log_keys=keys.log)


def verified_receipt(
    evidence: Evidence, promised: PromisedLeaf, *, log: str, log_keys: Iterable[Ed25519PublicKey]
) -> Receipt:
    """Parse and verify a receipt; `log` is the log's address. Raises `ReceiptInvalid`."""
    body = Reader.body(evidence)
    made = Receipt(
        disclosure_id=body.text("disclosure_id"),
        leaf_hash=body.text("leaf_hash"),
        leaf_index=body.integer("leaf_index"),
        tree_size=body.integer("tree_size"),
        checkpoint=body.text("checkpoint"),
        evidence=evidence,
    )
    if (made.disclosure_id, made.leaf_hash) != (promised.disclosure_id, promised.promise.leaf_hash):
        raise ReceiptInvalid("The receipt is of another leaf than was promised.", promised=promised)
    if promised.promise.log not in {None, log}:
        raise ReceiptInvalid("The answer promised a leaf of another log.", promised=promised)
    fault = receipt_fault(body, made.leaf_hash, log=log, log_keys=log_keys)
    if fault is not None:
        raise ReceiptInvalid(fault, promised=promised)
    return made


def receipt_fault(
    receipt: Reader, leaf_hash: str, *, log: str, log_keys: Iterable[Ed25519PublicKey]
) -> str | None:
    """Why a receipt does not prove this leaf in the log at this address; None if it does."""
    if receipt.text("leaf_hash") != leaf_hash:
        return "The receipt is of another leaf."
    if receipt.text("log") != log:
        return "The receipt is of another log."
    origin = urlsplit(log)
    head = _verify_checkpoint(receipt.text("checkpoint"), origin.netloc + origin.path, log_keys)
    if head is None:
        return "The checkpoint is not signed by a trusted log key."
    try:
        leaf = hashlib.sha256(b"\0" + parse_sha256(leaf_hash)).digest()
        proof = [parse_sha256(step) for step in receipt.texts("inclusion_proof")]
    except ValueError:
        return "The receipt's hashes cannot be read."
    size, root = head
    fits = size == receipt.integer("tree_size")
    if not fits or not verify_inclusion(leaf, receipt.integer("leaf_index"), size, proof, root):
        return "The proof does not lead to the checkpoint's root."
    return None


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Inclusion proof verification (RFC 9162 §2.1.3.2): the leaf hash at `index` under `root`."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = _node_hash(step, found)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = _node_hash(found, step)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _verify_checkpoint(
    note: str, origin: str, keys: Iterable[Ed25519PublicKey]
) -> tuple[int, bytes] | None:
    """Size and root of a checkpoint (c2sp.org/tlog-checkpoint) signed by one of `keys`, or None."""
    text, blank, signatures = note.partition("\n\n")
    lines, signed = text.split("\n"), signatures.split("\n")
    found = [_SIGNATURE.fullmatch(line) for line in signed[:-1]]
    if not blank or signed[-1] or len(lines) < _LINES or lines[0] != origin:
        return None
    try:
        if not _SIZE.fullmatch(lines[1]):
            return None
        size, root, body = int(lines[1]), parse_base64(lines[2]), f"{text}\n".encode()
        blobs = [(each[1], parse_base64(each[2])) for each in found if each is not None]
    except ValueError:
        return None
    own = [blob for name, blob in blobs if name == origin]
    known = any(_signature_valid(key, origin, body, blob) for key in keys for blob in own)
    return (size, root) if known and len(blobs) == len(found) else None


def _signature_valid(key: Ed25519PublicKey, origin: str, body: bytes, blob: bytes) -> bool:
    named = hashlib.sha256(origin.encode() + b"\n" + _ED25519 + key.public_bytes_raw()).digest()
    if blob[:_KEY_HASH] != named[:_KEY_HASH]:
        return False
    try:
        key.verify(blob[_KEY_HASH:], body)
    except InvalidSignature:
        return False
    return True
