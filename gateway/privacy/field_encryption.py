"""Encryption of personal fields at rest: AES-256-GCM, bound to table, column and row.

A value is `version ‖ key id ‖ nonce ‖ ciphertext`. Keys and plaintexts never print.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_HEAD: Final = 2 + NONCE_BYTES
_HIGHEST_ID: Final = 255  # one byte holds it


class VaultKeysError(ValueError):
    """The keys are not {"keys": {"1": BASE64_OF_32_BYTES, …}, "current": "1", "digest": BASE64}."""


class SealBrokenError(Exception):
    """A sealed value is damaged, in another place than it was sealed for, or its key is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultKeys:
    """Data keys by id, the id of the current one, and the key of the keyed digests."""

    current: int
    keys: Mapping[int, bytes] = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the settings' text; `VaultKeysError` repeats nothing of it."""
        try:
            said = json.loads(text)
            keys = {int(key_id): _key(value) for key_id, value in said["keys"].items()}
            held = cls(current=int(said["current"]), keys=keys, digest=_key(said["digest"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise VaultKeysError(VaultKeysError.__doc__) from None
        if held.current not in keys or not all(0 < each <= _HIGHEST_ID for each in keys):
            raise VaultKeysError(VaultKeysError.__doc__)
        return held


class BufferedRandom:
    """Random bytes for many nonces from one system call. Neither fork- nor thread-safe."""

    _BYTES: Final = 4096

    def __init__(self, random: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._random = random
        self._drawn = b""
        self._used = 0

    def __call__(self, length: int, /) -> bytes:
        """Random bytes, each used once."""
        if len(self._drawn) - self._used < length:
            self._drawn, self._used = self._random(max(length, self._BYTES)), 0
        begin, self._used = self._used, self._used + length
        return self._drawn[begin : self._used]


class Vault:
    """Encrypts (seals), decrypts (opens) and digests personal values."""

    def __init__(
        self, keys: VaultKeys, *, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._keys = keys
        self._random = random
        self._ciphers: dict[int, AESGCM] = {}
        self._digest: HMAC | None = None

    @property
    def current(self) -> int:
        """The id of the current key."""
        return self._keys.current

    @staticmethod
    def generate_keys(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
        """The settings' text of new keys."""
        key, digest = (base64.b64encode(random(KEY_BYTES)).decode() for _ in range(2))
        return json.dumps({"keys": {"1": key}, "current": "1", "digest": digest})

    def seal(self, plain: bytes, *, table: str, column: str, row: str) -> bytes:
        """Encrypt `plain` for this table, column and row, under the current key."""
        key_id, nonce = self._keys.current, self._random(NONCE_BYTES)
        sealed = self._cipher(key_id).encrypt(nonce, plain, _place(table, column, row))
        return bytes((VERSION, key_id)) + nonce + sealed

    def open(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Decrypt a value sealed for this place, under any key; raises `SealBrokenError`."""
        if len(sealed) < _HEAD or sealed[0] != VERSION:
            raise SealBrokenError
        try:
            place = _place(table, column, row)
            return self._cipher(sealed[1]).decrypt(sealed[2:_HEAD], sealed[_HEAD:], place)
        except (InvalidTag, LookupError):
            raise SealBrokenError from None

    def digest(self, what: str, value: str) -> bytes:
        """The keyed digest of a normalised value, for equality: HMAC-SHA-256, per kind of value."""
        digest = self._digesting().copy()
        digest.update(f"{what}\0{value}".encode("utf-8", "surrogatepass"))
        return digest.finalize()

    def __repr__(self) -> str:
        return f"Vault(current={self._keys.current})"

    def _digesting(self) -> HMAC:
        """The HMAC state, made once: a copy costs less than half of a new one."""
        if self._digest is None:
            self._digest = HMAC(self._keys.digest, SHA256())
        return self._digest

    def _cipher(self, key_id: int) -> AESGCM:
        if key_id not in self._ciphers:
            self._ciphers[key_id] = AESGCM(self._keys.keys[key_id])
        return self._ciphers[key_id]


def _place(table: str, column: str, row: str) -> bytes:
    """Associated data of a value; PostgreSQL's text has no NUL, so the parts stay distinct."""
    return f"{table}\0{column}\0{row}".encode()


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise VaultKeysError from None
    if len(key) != KEY_BYTES:
        raise VaultKeysError
    return key
