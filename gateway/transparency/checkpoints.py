"""Checkpoints: signed notes over origin, size and root (C2SP tlog-checkpoint, signed-note). Pure."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.transparency.merkle import HASH_BYTES

ED25519 = b"\x01"
KEY_HASH_BYTES = 4
LARGEST_NOTE = 16 * 1024  # bytes: room for the cosignatures of a hundred witnesses
_SIZE = re.compile(r"0|[1-9]\d{0,17}", re.ASCII)  # fits into PostgreSQL's bigint
_SIGNATURE = re.compile(r"— (\S+) (\S+)")


class NoteError(Exception):
    """A text is not a checkpoint signed by this log; the message says why."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """Size and root hash of a tree."""

    size: int
    root: bytes


class NoteSigner(Protocol):
    """A signing key of the log, with its public JWK (RFC 8037)."""

    @property
    def public(self) -> Mapping[str, str]:
        """The public JWK."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `message`."""
        ...


def origin_of(issuer: str) -> str:
    """The log's origin: its URL without the scheme."""
    return f"{urlsplit(issuer).netloc}/log"


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text that is signed."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign_checkpoint(origin: str, size: int, root: bytes, signer: NoteSigner) -> str:
    """The whole note."""
    text = checkpoint_text(origin, size, root)
    signature = key_hash(origin, signer.public) + signer.sign(text.encode())
    return f"{text}\n— {origin} {base64.b64encode(signature).decode()}\n"


def key_hash(name: str, public: Mapping[str, str]) -> bytes:
    """The key hash in a note's signature (4 bytes)."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + _raw(public)).digest()[:KEY_HASH_BYTES]


def open_checkpoint(note: bytes, origin: str, keys: Iterable[Mapping[str, str]]) -> TreeHead:
    """The tree head in a note signed by one of `keys` (public JWKs); raises `NoteError`.

    Signatures of others, such as witnesses, are ignored.
    """
    text, signatures = _parted(note)
    lines = text.split("\n")
    if len(lines) != 4 or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004  # and the end of the third
        raise NoteError("it is no checkpoint")
    if lines[0] != origin:
        raise NoteError("it is of another log")
    root = _decoded(lines[2])
    if len(root) != HASH_BYTES:
        raise NoteError("it is no checkpoint")
    blobs = {_decoded(blob) for name, blob in signatures if name == origin}
    if not any(_is_signed(text.encode(), blobs, origin, key) for key in keys):
        raise NoteError("no key of this log has signed it")
    return TreeHead(int(lines[1]), root)


def _parted(note: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Split a note into its signed text and (name, base64) of each signature."""
    if len(note) > LARGEST_NOTE:
        raise NoteError(f"it is larger than {LARGEST_NOTE} bytes")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise NoteError("it is no signed note") from None
    text, blank, rest = whole.rpartition("\n\n")
    found = [_SIGNATURE.fullmatch(line) for line in rest.removesuffix("\n").split("\n")]
    signatures = [(match[1], match[2]) for match in found if match is not None]
    if not blank or not rest.endswith("\n") or len(signatures) != len(found):
        raise NoteError("it is no signed note")
    return f"{text}\n", signatures


def _decoded(text: str) -> bytes:
    """Decode canonical base64."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if base64.b64encode(found).decode() != text:
        raise NoteError("it is no signed note")
    return found


def _is_signed(text: bytes, blobs: Iterable[bytes], origin: str, public: Mapping[str, str]) -> bool:
    name, key = key_hash(origin, public), Ed25519PublicKey.from_public_bytes(_raw(public))
    for blob in blobs:
        if blob[:KEY_HASH_BYTES] == name:
            try:
                key.verify(blob[KEY_HASH_BYTES:], text)
            except InvalidSignature:
                continue
            return True
    return False


def _raw(public: Mapping[str, str]) -> bytes:
    """The 32 bytes of a public JWK (RFC 8037)."""
    return base64.urlsafe_b64decode(public["x"] + "=")
