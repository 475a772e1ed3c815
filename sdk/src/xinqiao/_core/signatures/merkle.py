"""Merkle tree of RFC 9162, section 2.1, over the lines of a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def leaf_hash(entry: bytes) -> bytes:
    """Leaf hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; a last one without a sibling moves up unchanged."""
    row = list(leaves)
    while len(row) > 1:
        paired = [_above(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = paired + row[2 * len(paired) :]
    return row[0] if row else hashlib.sha256().digest()


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Proof that a leaf is under the root of all, from the leaf upwards (section 2.1.3.1)."""
    proof: list[bytes] = []
    begin, end = 0, len(leaves)
    while end - begin > 1:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        if index < middle:
            proof.append(root_of(leaves[middle:end]))
            end = middle
        else:
            proof.append(root_of(leaves[begin:middle]))
            begin = middle
    return proof[::-1]


def _above(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows leaf by leaf: the roots of its largest full subtrees, from the left."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes."""
        for leaf in leaves:
            self._peaks.append(leaf)
            merged = self.size
            while merged & 1:
                right = self._peaks.pop()
                self._peaks[-1] = _above(self._peaks[-1], right)
                merged >>= 1
            self.size += 1

    def root(self) -> bytes:
        """Root over all leaves."""
        if not self._peaks:
            return root_of(())
        *left, above = self._peaks
        for each in reversed(left):
            above = _above(each, above)
        return above
