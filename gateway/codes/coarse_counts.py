"""Coarse counts: a number is shown as the lower edge of its band. Pure."""

from bisect import bisect_right
from typing import Final

EDGES: Final = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000)


def at_least(count: int) -> int:
    """The lower edge of the band of `count`; 0 for none."""
    return band_edge(band_of(count))


def band_of(count: int) -> int:
    """The number of the band of `count`."""
    return bisect_right(EDGES, count)


def band_edge(band: int) -> int:
    """The lower edge of a band by its number; band 0 is none."""
    return EDGES[band - 1] if band else 0
