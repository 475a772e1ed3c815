"""The Merkle tree of RFC 9162 §2.1 (RFC 6962's, over SHA-256): two roots tell whether a tree grew.

Pure. A tree is known by its leaves' hashes; a node is known by its height and its index, so that
node (h, i) is the root of the 2^h leaves from i·2^h on. Whoever keeps nodes gives a `NodeHash`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeHash = Callable[[int, int], bytes]
Span = tuple[int, int]  # the leaves from the first index up to, and without, the second


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf that holds `entry`."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes. A last one without a partner moves up as it is."""
    row = list(hashes)
    while len(row) > 1:
        above = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
        row = above + row[2 * len(above) :]
    return row[0] if row else EMPTY_ROOT


def span_root(span: Span, node: NodeHash) -> bytes:
    """The root over a span that the RFC's recursion speaks of, from nodes that are full."""
    peaks = [node(height, index) for height, index in _peaks(span)]
    if not peaks:
        return EMPTY_ROOT
    above = peaks.pop()
    while peaks:
        above = node_hash(peaks.pop(), above)
    return above


def inclusion_proof(index: int, size: int, node: NodeHash) -> list[bytes]:
    """That leaf `index` is in the tree of `size` leaves (§2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError("a leaf must be in the tree in which it is to be shown")
    return [span_root(span, node) for span in _beside(index, (0, size))]


def consistency_proof(first: int, second: int, node: NodeHash) -> list[bytes]:
    """That the tree of `second` leaves begins with the tree of `first` (§2.1.4.1)."""
    if not 0 <= first <= second:
        raise ValueError("a tree can only grow")
    if first == 0:
        return []
    return [span_root(span, node) for span in _between(first, (0, second), whole=True)]


def includes(
    leaf: bytes,
    index: int,
    size: int,
    proof: Sequence[bytes],
    expected_root: bytes,
) -> bool:
    """Whether `proof` shows leaf hash `leaf` at `index` under `expected_root` (§2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(sibling, found)
            here, last = _up_to_a_right_child(here, last)
        else:
            found = node_hash(found, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and found == expected_root


def extends(
    first: int,
    first_root: bytes,
    second: int,
    second_root: bytes,
    proof: Sequence[bytes],
) -> bool:
    """Whether `proof` shows that the second tree begins with the first (§2.1.4.2)."""
    if not 0 < first < second:
        roots_fit = first_root == (second_root if first == second else EMPTY_ROOT)
        return 0 <= first <= second and not proof and roots_fit
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            here, last = _up_to_a_right_child(here, last)
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _peaks(span: Span) -> Iterator[tuple[int, int]]:
    """The fewest full nodes that cover `span`, from the left."""
    begin, end = span
    while begin < end:
        height = (end - begin).bit_length() - 1
        yield height, begin >> height
        begin += 1 << height


def _middle(begin: int, end: int) -> int:
    """Where the RFC splits: after the largest power of two that is smaller than the whole."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _beside(index: int, span: Span) -> list[Span]:
    begin, end = span
    if end - begin == 1:
        return []
    middle = _middle(begin, end)
    if index < middle:
        return [*_beside(index, (begin, middle)), (middle, end)]
    return [*_beside(index, (middle, end)), (begin, middle)]


def _between(first: int, span: Span, *, whole: bool) -> list[Span]:
    begin, end = span
    if first == end:
        return [] if whole else [span]
    middle = _middle(begin, end)
    if first <= middle:
        return [*_between(first, (begin, middle), whole=whole), (middle, end)]
    return [*_between(first, (middle, end), whole=False), (begin, middle)]


def _up_to_a_right_child(here: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the last node had no partner."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
