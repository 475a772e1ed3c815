"""The tree is kept by full subtrees of 256, 256², … leaves; every other node follows from them.

A tile (C2SP tlog-tiles) is a row of up to 256 hashes of one level: at level 0 the leaves' own, at
level n the roots of full subtrees of 256^n leaves. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.transparency import merkle
from gateway.transparency.merkle import HASH_BYTES, NodeHash

BITS = 8
WIDTH = 1 << BITS

Hashes = dict[tuple[int, int], bytes]  # by tile level and index within the level


@dataclass(frozen=True, slots=True)
class Run:
    """The hashes of one tile level from `begin` up to, and without, `end`."""

    level: int
    begin: int
    end: int


def edge(size: int) -> tuple[Run, ...]:
    """The last, partial tile of each level: all that is needed to go on, or for the root."""
    return tuple(_tiles_with(size, size))


def around(index: int, size: int) -> tuple[Run, ...]:
    """What is needed to show leaf `index` in the tree of `size` leaves."""
    return tuple({run: None for tile in (index, size) for run in _tiles_with(tile, size)})


def known(runs: Iterable[Run], rows: Iterable[bytes]) -> Hashes:
    """The hashes in `rows`, one row of bytes for each run."""
    return {
        (run.level, run.begin + place): row[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        for run, row in zip(runs, rows, strict=True)
        for place in range(run.end - run.begin)
    }


def nodes(hashes: Hashes) -> NodeHash:
    """Any node above the given hashes."""

    def node(height: int, index: int) -> bytes:
        if height % BITS == 0:
            return hashes[height // BITS, index]
        return merkle.node_hash(node(height - 1, 2 * index), node(height - 1, 2 * index + 1))

    return node


def grow(hashes: Hashes, size: int, leaves: Sequence[bytes]) -> Hashes:
    """Add leaf hashes to a tree of `size` leaves of which `hashes` holds the edge.

    Gives the new hashes of levels 1 and above, which are to be kept; the leaves are kept already.
    """
    full: Hashes = {}
    level, first, row = 0, size, list(leaves)
    while row:
        hashes |= {(level, first + place): found for place, found in enumerate(row)}
        tiles = range(first >> BITS, (first + len(row)) >> BITS)
        row = [_tile_root(hashes, level, tile) for tile in tiles]
        level, first = level + 1, tiles.start
        full |= {(level, first + place): found for place, found in enumerate(row)}
    return full


def _tiles_with(leaf: int, size: int) -> Iterator[Run]:
    """On each level the tile in which the subtree over `leaf` stands or would stand next."""
    level, count = 0, size
    while count:
        begin = (leaf >> BITS * (level + 1)) << BITS
        if begin < count:
            yield Run(level, begin, min(begin + WIDTH, count))
        level, count = level + 1, count >> BITS


def _tile_root(hashes: Hashes, level: int, tile: int) -> bytes:
    return merkle.root([hashes[level, tile * WIDTH + place] for place in range(WIDTH)])
