"""Frontier of a growing Merkle tree (RFC 9162 §2.1): the roots of its largest full subtrees. Pure.

A tree of n leaves has one full subtree for each bit of n, the largest first: at most 20 for a job's
million, so that a job's root needs neither its leaves nor its lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from gateway.transparency.merkle import EMPTY_ROOT, HASH_BYTES, node_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The number of leaves, and the roots of the full subtrees from the left."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @classmethod
    def from_bytes(cls, size: int, stored: bytes) -> Self:
        """The frontier in the bytes that `to_bytes` gives."""
        count = size.bit_count()
        if len(stored) != count * HASH_BYTES:
            raise ValueError("a tree of this size has another number of full subtrees")
        peaks = (stored[place * HASH_BYTES :][:HASH_BYTES] for place in range(count))
        return cls(size=size, peaks=tuple(peaks))

    def to_bytes(self) -> bytes:
        """The peaks one after the other."""
        return b"".join(self.peaks)

    def extended(self, leaf_hashes: Iterable[bytes]) -> Self:
        """The frontier with these leaves too."""
        size, peaks = self.size, list(self.peaks)
        for each in leaf_hashes:
            peaks.append(each)
            merged = size
            while merged & 1:
                right = peaks.pop()
                peaks[-1] = node_hash(peaks[-1], right)
                merged >>= 1
            size += 1
        return type(self)(size=size, peaks=tuple(peaks))

    def root(self) -> bytes:
        """The root over all leaves."""
        return _folded(self.peaks) if self.peaks else EMPTY_ROOT


def _folded(peaks: Sequence[bytes]) -> bytes:
    """The root over full subtrees: the smallest ones are joined first."""
    *left, above = peaks
    for each in reversed(left):
        above = node_hash(each, above)
    return above
