"""Detection of guessable identifiers: those derived from a USCC, and counters. Pure."""

import hashlib
import math
import re
from base64 import b32decode, urlsafe_b64decode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from typing import Final, NamedTuple
from urllib.parse import unquote

MIN_JUDGED: Final = 50
"""Identifiers from which their variety can be told."""
MIN_BITS: Final = 60
"""Variety under which they can be counted through."""
_SUBJECT: Final = slice(8, 17)
"""The part of a USCC that identifies its subject: the organisation code."""
_HASHES: Final = ("md5", "sha1", "sha256")


class _Base(NamedTuple):
    """A base encoding: its texts, the characters of a whole group, and its decoder."""

    text: re.Pattern[str]
    size: int
    decode: Callable[[str], bytes]


_BASES: Final = (
    _Base(re.compile(r"[0-9A-Fa-f]{18,}"), 2, bytes.fromhex),
    _Base(re.compile(r"[A-Z2-7]{14,}|[a-z2-7]{14,}"), 8, partial(b32decode, casefold=True)),
    _Base(re.compile(r"[A-Za-z0-9_-]{12,}"), 4, urlsafe_b64decode),
)


def is_derived(identifier: str, uscc: str) -> bool:
    """True if an identifier holds a USCC or its subject: plain, reversed, encoded or hashed."""
    code = uscc.upper()
    subject = code[_SUBJECT]
    plain = unquote(identifier)
    for reading in _readings(plain):
        if subject in reading or subject[::-1] in reading:
            return True
    folded = plain.casefold()
    return any(
        hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()[:20] in folded
        for name in _HASHES
        for text in (code, code.lower(), subject, subject.lower())
    )


def are_counted(identifiers: Sequence[str]) -> bool:
    """True if identifiers differ in so few characters that all can be tried."""
    if len(identifiers) < MIN_JUDGED:
        return False
    return sum(math.log2(len(set(each))) for each in zip_longest(*identifiers)) < MIN_BITS


def _readings(identifier: str) -> Iterator[str]:
    """The identifier and what each part decodes to in base 16, 32 and 64, in capitals."""
    yield identifier.upper()
    for base in _BASES:
        for written in (identifier, identifier[::-1]):
            for run in base.text.findall(written):
                for start in range(base.size):
                    yield _decoded(run[start:], base).decode("latin-1").upper()


def _decoded(text: str, base: _Base) -> bytes:
    """The bytes of a text without padding; a last group cut short is left out."""
    left = len(text) % base.size
    for padded in (text + "=" * (base.size - left) if left else text, text[: len(text) - left]):
        try:
            return base.decode(padded)
        except ValueError:
            continue
    return b""
