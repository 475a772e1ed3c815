"""Tiles (C2SP tlog-tiles): rows of up to 256 hashes of one level, from which all nodes follow. Pure.

Level 0 holds the leaf hashes, level n the roots of full subtrees of 256^n leaves.
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
    """A range of hashes of one tile level, `end` exclusive."""

    level: int
    begin: int
    end: int


def edge_runs(size: int) -> tuple[Run, ...]:
    """The last, partial tile of each level: enough to append, or for the root."""
    return tuple(_tiles_with(size, size))


def proof_runs(index: int, size: int) -> tuple[Run, ...]:
    """The hashes needed to prove leaf `index` in the tree of `size` leaves."""
    return tuple({run: None for tile in (index, size) for run in _tiles_with(tile, size)})


def hashes_from_rows(runs: Iterable[Run], rows: Iterable[bytes]) -> Hashes:
    """The hashes in `rows`, one byte string for each run."""
    return {
        (run.level, run.begin + place): row[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        for run, row in zip(runs, rows, strict=True)
        for place in range(run.end - run.begin)
    }


def node_hashes(hashes: Hashes) -> NodeHash:
    """Lookup of any node above the given hashes."""

    def node(height: int, index: int) -> bytes:
        if height % BITS == 0:
            return hashes[height // BITS, index]
        return merkle.node_hash(node(height - 1, 2 * index), node(height - 1, 2 * index + 1))

    return node


def grow(hashes: Hashes, size: int, leaves: Sequence[bytes]) -> Hashes:
    """Append leaf hashes to a tree of `size` leaves of which `hashes` holds the edge.

    Gives the new hashes of levels 1 and above, to be stored.
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
    """The tile of each level that contains the subtree over `leaf`, or would contain it next."""
    level, count = 0, size
    while count:
        begin = (leaf >> BITS * (level + 1)) << BITS
        if begin < count:
            yield Run(level, begin, min(begin + WIDTH, count))
        level, count = level + 1, count >> BITS


def _tile_root(hashes: Hashes, level: int, tile: int) -> bytes:
    return merkle.root([hashes[level, tile * WIDTH + place] for place in range(WIDTH)])
