"""Merkle tree of RFC 9162 §2.1 (as in RFC 6962, SHA-256): roots and inclusion proofs. Pure.

Node (h, i) is the root of the 2^h leaves from i·2^h on; a `NodeHash` looks one up.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeHash = Callable[[int, int], bytes]
Span = tuple[int, int]  # the leaves from the first index up to, and without, the second


def leaf_hash(entry: bytes) -> bytes:
    """The leaf hash of `entry`."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the parent of two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; a last one without a sibling moves up unchanged."""
    row = list(hashes)
    while len(row) > 1:
        above = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
        row = above + row[2 * len(above) :]
    return row[0] if row else EMPTY_ROOT


def span_root(span: Span, node: NodeHash) -> bytes:
    """The root over a span of the RFC's recursion, computed from full nodes."""
    peaks = [node(height, index) for height, index in _peaks(span)]
    if not peaks:
        return EMPTY_ROOT
    above = peaks.pop()
    while peaks:
        above = node_hash(peaks.pop(), above)
    return above


def inclusion_proof(index: int, size: int, node: NodeHash) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves (§2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("a leaf must be in the tree in which it is to be shown")
    return [span_root(span, node) for span in _beside(index, (0, size))]


def _peaks(span: Span) -> Iterator[tuple[int, int]]:
    """The fewest full nodes covering `span`, from the left."""
    begin, end = span
    while begin < end:
        height = (end - begin).bit_length() - 1
        yield height, begin >> height
        begin += 1 << height


def _middle(begin: int, end: int) -> int:
    """The RFC's split point: after the largest power of two smaller than the span."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _beside(index: int, span: Span) -> list[Span]:
    begin, end = span
    if end - begin == 1:
        return []
    middle = _middle(begin, end)
    if index < middle:
        return [*_beside(index, (begin, middle)), (middle, end)]
    return [*_beside(index, (middle, end)), (begin, middle)]
