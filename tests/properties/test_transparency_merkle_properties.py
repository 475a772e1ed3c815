"""Merkle tree: independent of batches, with sound inclusion and consistency proofs."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.transparency import merkle, tiles
from tests import merkle_proofs, reference_merkle
from tests.sampling import sampled

ENTRIES = [hashlib.sha256(b"%d" % number).digest() for number in range(1_500)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
BATCHES = st.lists(st.integers(0, 300), min_size=1, max_size=5)


def grown(batches: list[int]) -> tuple[int, tiles.Hashes]:
    """Size and stored hashes of a tree grown by batches."""
    size, kept = 0, {(0, place): leaf for place, leaf in enumerate(LEAVES)}
    for batch in batches:
        hashes = {
            (run.level, place): kept[run.level, place]
            for run in tiles.edge_runs(size)
            for place in range(run.begin, run.end)
        }
        kept |= tiles.grow(hashes, size, LEAVES[size : size + batch])
        size += batch
    return size, kept


@given(BATCHES)
@settings(max_examples=sampled(20, full=60))
def test_the_root_depends_on_the_leaves_and_not_on_the_batches(batches: list[int]) -> None:
    """Equal to the reference implementation over all leaves."""
    size, kept = grown(batches)
    root = merkle.span_root((0, size), tiles.node_hashes(kept))
    assert root == reference_merkle.mth(ENTRIES[:size])


@given(BATCHES.filter(any), st.data())
@settings(max_examples=sampled(40, full=100))
def test_any_leaf_is_shown_and_no_other_in_its_place(
    batches: list[int],
    data: st.DataObject,
) -> None:
    """The proof verifies for this entry and for no other."""
    size, kept = grown(batches)
    index, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    root = merkle.root(LEAVES[:size])
    proof = merkle.inclusion_proof(index, size, tiles.node_hashes(kept))
    assert reference_merkle.root_from_path(ENTRIES[index], index, size, proof) == root
    assert merkle_proofs.includes(LEAVES[other], index, size, proof, root) == (other == index)


@given(BATCHES.filter(any), st.data())
@settings(max_examples=sampled(40, full=100))
def test_any_two_moments_of_one_tree_are_consistent(
    batches: list[int],
    data: st.DataObject,
) -> None:
    """A tree with a changed old leaf is not consistent."""
    second, kept = grown(batches)
    first = data.draw(st.integers(1, second))
    changed = data.draw(st.integers(0, first - 1))
    proof = merkle_proofs.consistency_proof(first, second, tiles.node_hashes(kept))
    old, new = merkle.root(LEAVES[:first]), merkle.root(LEAVES[:second])
    assert merkle_proofs.extends(first, old, second, new, proof)
    forged = [*LEAVES[:changed], merkle.leaf_hash(b"forged"), *LEAVES[changed + 1 : second]]
    assert not merkle_proofs.extends(first, old, second, merkle.root(forged), proof)


@given(
    st.binary(max_size=80),
    st.integers(),
    st.integers(),
    st.lists(st.binary(max_size=40), max_size=9),
)
@settings(max_examples=sampled(60, full=200))
def test_nonsense_is_refused_and_never_an_error(
    leaf: bytes,
    index: int,
    size: int,
    proof: list[bytes],
) -> None:
    """Malformed proofs are refused without an exception."""
    root = merkle.root(LEAVES)
    assert not merkle_proofs.includes(leaf, index, size, proof, root)
    assert merkle_proofs.extends(index, root, size, root, proof) == (
        index == size >= 0 and not proof
    )
