"""Disclosure record and its log leaf: SHA-256(salt ‖ canonical row), hidden without the salt. Pure."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Self

import orjson

SALT_BYTES = 32
# Maximum merge delay that answers promise.
MERGE_SECONDS = 10

LeafKind = Literal["verification", "query", "consent_request", "watch", "report"]
"""Of `consent_request` refused ones only; a `watch` told that an answer may have changed.

A `report` was opened by its address: its id stands for the client.
"""
Outcome = Literal["told", "refused"]


class Disclosure(NamedTuple):
    """One disclosure or refusal: client, enterprise, purpose, legal ground, content digest, time.

    A tuple, as all that is made for each line of a batch: a frozen data class takes four times as long.
    """

    disclosure_id: str
    uscc: str
    client_id: str
    kind: LeafKind
    outcome: Outcome
    purpose: str
    asked: Sequence[Any]
    at: datetime
    reason: str | None = None
    consent_id: str | None = None
    agreement_version: int | None = None
    relied_on: Sequence[tuple[str, int]] = ()
    result_digest: bytes = b""


def canonical(disclosure: Disclosure) -> bytes:
    """The disclosure as canonical JSON: sorted keys, no spaces, UTF-8, digests in hexadecimal."""
    row = disclosure._asdict()
    row["at"] = disclosure.at.isoformat()
    row["result_digest"] = disclosure.result_digest.hex()
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS)


def new_salt() -> bytes:
    """A new salt for one leaf."""
    return secrets.token_bytes(SALT_BYTES)


def leaf_hash(disclosure: Disclosure, salt: bytes) -> bytes:
    """The leaf hash of a disclosure: the 32 bytes that enter the log."""
    return hashlib.sha256(salt + canonical(disclosure)).digest()


class DisclosureLeaf(NamedTuple):
    """The leaf of one disclosure: its salt, and the hash that enters the log."""

    salt: bytes
    hash: bytes

    @classmethod
    def of(cls, disclosure: Disclosure) -> Self:
        """A leaf with a new salt."""
        salt = new_salt()
        return cls(salt=salt, hash=leaf_hash(disclosure, salt))


def result_digest(answer: Mapping[str, Any]) -> bytes:
    """SHA-256 of an answer as canonical JSON, before it gets `log_promise` and `uses_left`."""
    return hashlib.sha256(orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)).digest()
