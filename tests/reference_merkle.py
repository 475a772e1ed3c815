"""Reference Merkle tree: RFC 9162 §2.1 transcribed as slow recursive functions over lists.

It shares only SHA-256 with the gateway's tree. A proof is verified by recomputing the root with the
recursion of the definition, not by the RFC's verification loops.
"""

import hashlib
from collections.abc import Sequence


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH(D_n), RFC 9162 §2.1.1."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return above(mth(entries[:k]), mth(entries[k:]))


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n), RFC 9162 §2.1.3.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n), RFC 9162 §2.1.4.1."""
    return subproof(m, entries, known=True)


def subproof(m: int, entries: Sequence[bytes], *, known: bool) -> list[bytes]:
    """SUBPROOF(m, D_n, b), RFC 9162 §2.1.4.1."""
    if m == len(entries):
        return [] if known else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], known=known), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], known=False), mth(entries[:k])]


def root_from_path(entry: bytes, m: int, n: int, proof_: Sequence[bytes]) -> bytes | None:
    """Root that an inclusion proof leads to from `entry`, or `None` if its length is wrong."""
    if n == 1:
        return hashlib.sha256(b"\x00" + entry).digest() if not proof_ else None
    if not proof_:
        return None
    k = split(n)
    rest, sibling = proof_[:-1], proof_[-1]
    if m < k:
        left = root_from_path(entry, m, k, rest)
        return above(left, sibling) if left else None
    right = root_from_path(entry, m - k, n - k, rest)
    return above(sibling, right) if right else None


def above(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(n: int) -> int:
    """Largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k
