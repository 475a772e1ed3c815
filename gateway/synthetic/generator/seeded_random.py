"""Faster `random.Random` with identical draws, for large provinces."""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom(random.Random):
    """`random.Random` with faster `choice` and `randint` of the same results."""

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]  # narrower: sequences only
        """A random element."""
        return seq[self._below(len(seq))]

    def randint(self, a: int, b: int) -> int:
        """A random integer from `a` to `b`, inclusive."""
        return a + self._below(b - a + 1)

    def _below(self, n: int) -> int:
        bits = n.bit_length()
        drawn = self.getrandbits(bits)
        while drawn >= n:
            drawn = self.getrandbits(bits)
        return drawn
