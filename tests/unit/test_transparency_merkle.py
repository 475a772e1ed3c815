"""Merkle tree of RFC 9162, by published vectors and the reference implementation."""

import hashlib
from itertools import pairwise

import pytest

from gateway.log.tile_paths import Tile, index_path, level_of, tile_of
from gateway.transparency import merkle, tiles
from gateway.transparency.merkle import NodeHash
from tests import merkle_proofs, reference_merkle

# The leaves and the tree heads that the implementations of Certificate Transparency test with.
LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SECOND_LEAF = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
THIRD_AND_FOURTH = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
LAST_FOUR = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
FIFTH_LEAF = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
LAST_TWO = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
FIFTH_AND_SIXTH = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {
    (0, 1): [],
    (0, 8): [SECOND_LEAF, THIRD_AND_FOURTH, LAST_FOUR],
    (5, 8): [FIFTH_LEAF, LAST_TWO, ROOTS[4]],
    (2, 3): [ROOTS[2]],
    (1, 5): [ROOTS[1], THIRD_AND_FOURTH, FIFTH_LEAF],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [SECOND_LEAF, THIRD_AND_FOURTH, LAST_FOUR],
    (6, 8): [FIFTH_AND_SIXTH, LAST_TWO, ROOTS[4]],
    (2, 5): [THIRD_AND_FOURTH, FIFTH_LEAF],
}
EXHAUSTED = 34
MANY = [hashlib.sha256(b"%d" % number).digest() for number in range(EXHAUSTED)]


def node_of(entries: list[bytes]) -> NodeHash:
    """A full node over `entries`."""
    hashes = {(0, place): merkle.leaf_hash(entry) for place, entry in enumerate(entries)}

    def node(height: int, index: int) -> bytes:
        if height == 0:
            return hashes[0, index]
        return merkle.node_hash(node(height - 1, 2 * index), node(height - 1, 2 * index + 1))

    return node


@pytest.mark.parametrize("size", range(9))
def test_the_published_tree_heads_come_out(size: int) -> None:
    """Sizes 0 to 8, computed in both ways."""
    leaves = LEAVES[:size]
    assert merkle.root([merkle.leaf_hash(each) for each in leaves]).hex() == ROOTS[size]
    assert merkle.span_root((0, size), node_of(leaves)).hex() == ROOTS[size]
    assert reference_merkle.mth(leaves).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_proofs_come_out_and_verify(index: int, size: int) -> None:
    """Vectors of Certificate Transparency."""
    proof = merkle.inclusion_proof(index, size, node_of(LEAVES))
    assert [each.hex() for each in proof] == INCLUSION[index, size]
    leaf, root = merkle.leaf_hash(LEAVES[index]), bytes.fromhex(ROOTS[size])
    assert merkle_proofs.includes(leaf, index, size, proof, root)


@pytest.mark.parametrize(("first", "second"), CONSISTENCY)
def test_the_published_consistency_proofs_come_out_and_verify(first: int, second: int) -> None:
    """Vectors of Certificate Transparency."""
    proof = merkle_proofs.consistency_proof(first, second, node_of(LEAVES))
    assert [each.hex() for each in proof] == CONSISTENCY[first, second]
    roots = bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second])
    assert merkle_proofs.extends(first, roots[0], second, roots[1], proof)


def test_every_inclusion_proof_in_every_small_tree_is_the_one_of_the_definition() -> None:
    """All leaves of all trees up to 34, accepted by both verifiers."""
    node = node_of(MANY)
    for size in range(1, EXHAUSTED + 1):
        root = reference_merkle.mth(MANY[:size])
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, node)
            assert proof == reference_merkle.path(index, MANY[:size])
            assert merkle_proofs.includes(merkle.leaf_hash(MANY[index]), index, size, proof, root)
            assert reference_merkle.root_from_path(MANY[index], index, size, proof) == root


def test_an_inclusion_proof_shows_one_leaf_at_one_place_in_one_tree_only() -> None:
    """Another leaf, index or size, a longer, shorter or changed proof."""
    node = node_of(MANY)
    for size in range(1, EXHAUSTED + 1):
        root = reference_merkle.mth(MANY[:size])
        for index in range(size):
            leaf, proof = merkle.leaf_hash(MANY[index]), merkle.inclusion_proof(index, size, node)
            others = [place for place in range(-1, size + 2) if place != index]
            assert not any(merkle_proofs.includes(leaf, each, size, proof, root) for each in others)
            assert not merkle_proofs.includes(merkle.leaf_hash(b"other"), index, size, proof, root)
            assert not merkle_proofs.includes(leaf, index, size, [*proof, root], root)
            for place in range(len(proof)):
                assert not merkle_proofs.includes(leaf, index, size, without(proof, place), root)
                assert not merkle_proofs.includes(leaf, index, size, altered(proof, place), root)


def test_every_consistency_proof_between_small_trees_is_the_one_of_the_definition() -> None:
    """All pairs of trees up to 34."""
    node = node_of(MANY)
    roots = [reference_merkle.mth(MANY[:size]) for size in range(EXHAUSTED + 1)]
    for second in range(1, EXHAUSTED + 1):
        for first in range(1, second + 1):
            proof = merkle_proofs.consistency_proof(first, second, node)
            assert proof == reference_merkle.proof(first, MANY[:second])
            assert merkle_proofs.extends(first, roots[first], second, roots[second], proof)


def test_a_consistency_proof_fits_two_trees_only() -> None:
    """A fork, other sizes, a longer, shorter or changed proof."""
    node = node_of(MANY)
    roots = [reference_merkle.mth(MANY[:size]) for size in range(EXHAUSTED + 1)]
    fork = reference_merkle.mth([b"forked", *MANY[1:]])
    for second in range(1, EXHAUSTED + 1):
        for first in range(1, second):
            old, new = roots[first], roots[second]
            proof = merkle_proofs.consistency_proof(first, second, node)
            assert not merkle_proofs.extends(first, fork, second, new, proof)
            assert not merkle_proofs.extends(first, old, second, fork, proof)
            assert not merkle_proofs.extends(second, new, first, old, proof)
            assert not merkle_proofs.extends(first, old, second, new, [*proof, new])
            for place in range(len(proof)):
                assert not merkle_proofs.extends(first, old, second, new, without(proof, place))
                assert not merkle_proofs.extends(first, old, second, new, altered(proof, place))


def test_the_empty_tree_and_the_same_tree_accept_only_an_empty_proof() -> None:
    """Empty proofs only."""
    root = reference_merkle.mth(MANY)
    assert merkle_proofs.consistency_proof(0, EXHAUSTED, node_of(MANY)) == []
    assert merkle_proofs.extends(0, merkle.EMPTY_ROOT, EXHAUSTED, root, [])
    assert merkle_proofs.extends(EXHAUSTED, root, EXHAUSTED, root, [])
    assert not merkle_proofs.extends(0, root, EXHAUSTED, root, [])
    assert not merkle_proofs.extends(EXHAUSTED, root, EXHAUSTED, root, [root])
    assert not merkle_proofs.extends(EXHAUSTED, root, EXHAUSTED, merkle.EMPTY_ROOT, [])
    assert not merkle_proofs.extends(-1, root, EXHAUSTED, root, [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    """A programming error."""
    with pytest.raises(ValueError, match="must be in the tree"):
        merkle.inclusion_proof(index, size, node_of(MANY))


@pytest.mark.parametrize(("first", "second"), [(4, 3), (-1, 3)])
def test_a_tree_that_shrank_has_no_proof(first: int, second: int) -> None:
    """A programming error."""
    with pytest.raises(ValueError, match="can only grow"):
        merkle_proofs.consistency_proof(first, second, node_of(MANY))


def test_the_edge_of_a_tree_of_70000_is_the_one_in_the_specification() -> None:
    """c2sp.org/tlog-tiles: widths 112, 17 and 1; a tree of 256 has a partial tile of width 1."""
    assert tiles.edge_runs(70_000) == (
        tiles.Run(0, 69_888, 70_000),
        tiles.Run(1, 256, 273),
        tiles.Run(2, 0, 1),
    )
    assert tiles.edge_runs(256) == (tiles.Run(1, 0, 1),)
    assert tiles.edge_runs(0) == ()


def test_a_tree_that_grows_by_its_edge_alone_is_the_tree_over_all_its_leaves() -> None:
    """Across one, two and many full tiles of two levels, and at their borders."""
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(66_000)]
    kept = {(0, place): leaf for place, leaf in enumerate(leaves)}
    steps = [0, 1, 255, 256, 257, 511, 512, 700, 5_000, 65_280, 65_535, 65_536, 65_537, 66_000]
    for size, after in pairwise(steps):
        hashes = {
            (run.level, place): kept[run.level, place]
            for run in tiles.edge_runs(size)
            for place in range(run.begin, run.end)
        }
        kept |= tiles.grow(hashes, size, leaves[size:after])
        root = merkle.span_root((0, after), tiles.node_hashes(hashes))
        assert root == merkle.root(leaves[:after])
    assert len(kept) - len(leaves) == 66_000 // 256 + 1


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600, 65_535, 65_536, 65_793])
def test_a_leafs_tiles_are_enough_for_its_inclusion_proof(size: int) -> None:
    """At most two tiles of each level."""
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    kept = {(0, place): leaf for place, leaf in enumerate(leaves)}
    kept |= tiles.grow({}, 0, leaves)
    root = merkle.root(leaves)
    for index in {0, size // 3, size // 2, size - 1, max(0, size - 257)}:
        runs = tiles.proof_runs(index, size)
        rows = [b"".join(kept[run.level, at] for at in range(run.begin, run.end)) for run in runs]
        node = tiles.node_hashes(tiles.hashes_from_rows(runs, rows))
        proof = merkle.inclusion_proof(index, size, node)
        assert merkle_proofs.includes(leaves[index], index, size, proof, root)


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("000", Tile(0, 256)),
        ("067", Tile(67, 256)),
        ("x001/000", Tile(1_000, 256)),
        ("x001/x234/067", Tile(1_234_067, 256)),
        ("x001/x234/067.p/1", Tile(1_234_067, 1)),
        ("000.p/255", Tile(0, 255)),
    ],
)
def test_a_tile_is_found_by_its_path(path: str, tile: Tile) -> None:
    """c2sp.org/tlog-tiles, both ways."""
    assert tile_of(path) == tile
    assert index_path(tile.index) == path.partition(".")[0]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "00",
        "0000",
        "1/000",
        "001/000",
        "x000/001",
        "x001/x000",
        "x001",
        "000/",
        "/000",
        "000.p",
        "000.p/",
        "000.p/0",
        "000.p/01",
        "000.p/256",
        "000.p/999",
        "000.p/-1",
        "000 ",
        "000\n",
        "٠٠٠",
        "x001/x001/x001/x001/x001/000",
        "../000",
        "x001/../000",
    ],
)
def test_no_second_path_leads_to_a_tile(path: str) -> None:
    """Other spellings are refused."""
    assert tile_of(path) is None


def test_a_level_is_written_in_one_way() -> None:
    """0 to 63, without leading zeroes."""
    assert [level_of(each) for each in ("0", "9", "63")] == [0, 9, 63]
    assert [level_of(each) for each in ("", "00", "01", "64", "-1", "x", "٣")] == [None] * 7


def without(proof: list[bytes], place: int) -> list[bytes]:
    """`proof` without one hash."""
    return proof[:place] + proof[place + 1 :]


def altered(proof: list[bytes], place: int) -> list[bytes]:
    """`proof` with one bit flipped."""
    flipped = bytes([proof[place][0] ^ 1]) + proof[place][1:]
    return [*proof[:place], flipped, *proof[place + 1 :]]
