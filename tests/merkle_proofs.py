"""Merkle consistency proofs and proof verification (RFC 9162 §2.1.3.2, §2.1.4), written as in the RFC."""

from collections.abc import Sequence

from gateway.transparency.merkle import EMPTY_ROOT, NodeHash, Span, node_hash, span_root


def consistency_proof(first: int, second: int, node: NodeHash) -> list[bytes]:
    """Consistency proof from `first` to `second` leaves (§2.1.4.1)."""
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
    """True if `proof` shows leaf hash `leaf` at `index` under `expected_root` (§2.1.3.2)."""
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
    """True if `proof` shows that the second tree extends the first (§2.1.4.2)."""
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


def _between(first: int, span: Span, *, whole: bool) -> list[Span]:
    begin, end = span
    if first == end:
        return [] if whole else [span]
    middle = _middle(begin, end)
    if first <= middle:
        return [*_between(first, (begin, middle), whole=whole), (middle, end)]
    return [*_between(first, (middle, end), whole=False), (begin, middle)]


def _middle(begin: int, end: int) -> int:
    """Split point: the largest power of two smaller than the span."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)


def _up_to_a_right_child(here: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the last node has no sibling."""
    while here and not here & 1:
        here, last = here >> 1, last >> 1
    return here, last
