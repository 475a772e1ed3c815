"""The fake gateway's transparency log: Merkle tree, inclusion proofs, signed checkpoints."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class FakeLog:
    """Leaves by disclosure, in order; a promised leaf can be left out."""

    def __init__(self, issuer: str) -> None:
        """Begin an empty log with a key of its own."""
        self.url = f"{issuer}/log"
        self.origin = self.url.partition("://")[2]
        self.left_out = 0
        self._key = Ed25519PrivateKey.generate()
        self._leaves: dict[str, bytes] = {}

    @property
    def jwk(self) -> dict[str, Any]:
        """The log's public key, as the issuer publishes it."""
        x = base64.urlsafe_b64encode(self._key.public_key().public_bytes_raw())
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": x.rstrip(b"=").decode(),
            "kid": "log-1",
            "use": "sig",
            "alg": "EdDSA",
            "xinqiao_use": "log",
        }

    def append(self, disclosure_id: str) -> str:
        """Append a leaf, unless it is to be left out, and return its hash."""
        leaf = secrets.token_bytes(32)
        if self.left_out:
            self.left_out -= 1
        else:
            self._leaves[disclosure_id] = leaf
        return leaf.hex()

    def receipt(self, disclosure_id: str) -> dict[str, Any] | None:
        """Receipt of one leaf under a fresh checkpoint; None if there is no leaf."""
        if disclosure_id not in self._leaves:
            return None
        hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in self._leaves.values()]
        index = list(self._leaves).index(disclosure_id)
        return {
            "disclosure_id": disclosure_id,
            "log": self.url,
            "leaf_hash": self._leaves[disclosure_id].hex(),
            "leaf_index": index,
            "tree_size": len(hashes),
            "inclusion_proof": [step.hex() for step in _path(index, hashes)],
            "checkpoint": self._note(len(hashes), _root(hashes)),
        }

    def _note(self, size: int, root: bytes) -> str:
        text = f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        raw = self._key.public_key().public_bytes_raw()
        name = hashlib.sha256(self.origin.encode() + b"\n\x01" + raw).digest()[:4]
        signature = base64.b64encode(name + self._key.sign(text.encode())).decode()
        return f"{text}\n\u2014 {self.origin} {signature}\n"


def _middle(hashes: Sequence[bytes]) -> int:
    return int(1 << (len(hashes) - 1).bit_length() - 1)


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    middle = _middle(hashes)
    both = _root(hashes[:middle]) + _root(hashes[middle:])
    return hashlib.sha256(b"\x01" + both).digest()


def _path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    middle = _middle(hashes)
    if index < middle:
        return [*_path(index, hashes[:middle]), _root(hashes[middle:])]
    return [*_path(index - middle, hashes[middle:]), _root(hashes[:middle])]
