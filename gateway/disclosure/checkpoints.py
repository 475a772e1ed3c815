"""A checkpoint is a C2SP signed note over origin, size and root, and nothing else. Pure.

Formats: c2sp.org/tlog-checkpoint and c2sp.org/signed-note.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

ED25519 = b"\x01"
KEY_HASH_BYTES = 4


class NoteSigner(Protocol):
    """A key of the log, with its public part as a JWK (RFC 8037)."""

    @property
    def public(self) -> Mapping[str, str]:
        """The public JWK."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `message`."""
        ...


def origin_of(issuer: str) -> str:
    """The log's name: where it is served, without the scheme."""
    return f"{urlsplit(issuer).netloc}/log"


def body(origin: str, size: int, root: bytes) -> str:
    """The text that is signed."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def signed(origin: str, size: int, root: bytes, signer: NoteSigner) -> str:
    """The whole note."""
    text = body(origin, size, root)
    signature = key_hash(origin, signer.public) + signer.sign(text.encode())
    return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"


def key_hash(name: str, public: Mapping[str, str]) -> bytes:
    """The four bytes by which a verifier knows which key of `name` has signed."""
    raw = base64.urlsafe_b64decode(public["x"] + "=")
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + raw).digest()[:KEY_HASH_BYTES]
