"""HyperLogLog sketch: counts distinct items in a few kilobytes, and cannot say which they were.

Estimated by Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6:
without bias from one item to billions. The standard error is 1.04 divided by the root of the size.
"""

import math
from collections import Counter
from typing import Final

HASH_BITS: Final = 64
_ALPHA: Final = 1 / (2 * math.log(2))


class DistinctCounter:
    """A sketch of `2 ** precision` registers of one byte."""

    __slots__ = ("_precision", "_registers")

    def __init__(self, precision: int, registers: bytes = b"") -> None:
        self._precision = precision
        self._registers = bytearray(registers or 1 << precision)

    def add(self, hashed: int) -> None:
        """Add an item by 64 bits of its digest."""
        rest_bits = HASH_BITS - self._precision
        register, rest = hashed >> rest_bits, hashed & ((1 << rest_bits) - 1)
        rank = rest_bits - rest.bit_length() + 1
        self._registers[register] = max(self._registers[register], rank)

    @property
    def filled(self) -> int:
        """Registers that some item has reached; it grows with their number, and is quickly read."""
        return len(self._registers) - self._registers.count(0)

    def estimate(self) -> int:
        """About how many distinct items were added."""
        size, highest = 1 << self._precision, HASH_BITS - self._precision
        counts = Counter(self._registers)
        total = size * _tau(1 - counts[highest + 1] / size)
        for rank in range(highest, 0, -1):
            total = (total + counts[rank]) / 2
        total += size * _sigma(counts[0] / size)
        return round(_ALPHA * size * size / total)

    def to_bytes(self) -> bytes:
        """The registers."""
        return bytes(self._registers)


def _sigma(share: float) -> float:
    """The correction for registers that nothing has reached."""
    if share == 1:
        return math.inf
    weight, total, before = 1.0, share, -1.0
    while total != before:
        share *= share
        before = total
        total += share * weight
        weight += weight
    return total


def _tau(share: float) -> float:
    """The correction for registers that cannot rise any more."""
    if share in {0.0, 1.0}:
        return 0.0
    weight, total, before = 1.0, 1 - share, -1.0
    while total != before:
        share = math.sqrt(share)
        before = total
        weight /= 2
        total -= (1 - share) ** 2 * weight
    return total / 3
