"""A play of chance that can be repeated: the very draws of `random.Random`, with less ado.

A province of ten million makes a third of a billion of them.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom(random.Random):
    """The standard generator; what is overridden gives the same values from the same bits."""

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]  # narrower: sequences only
        """One of `seq`."""
        return seq[self._under(len(seq))]

    def randint(self, a: int, b: int) -> int:
        """From `a` to `b`, both included."""
        return a + self._under(b - a + 1)

    def _under(self, n: int) -> int:
        bits = n.bit_length()
        drawn = self.getrandbits(bits)
        while drawn >= n:
            drawn = self.getrandbits(bits)
        return drawn
