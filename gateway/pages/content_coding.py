"""Content codings of pages: brotli and gzip, negotiated by `Accept-Encoding` (RFC 9110 §12.5.3)."""

import gzip
from functools import lru_cache
from typing import Final, Literal

import brotli

from gateway.pages.quality_values import quality_values

Coding = Literal["br", "gzip", "identity"]

CODINGS: Final[tuple[Coding, ...]] = ("br", "gzip", "identity")
"""In the order of preference among equal weights."""
_BROTLI_QUALITY: Final = 5
_BROTLI_WINDOW: Final = 16  # 64 KiB, more than a page has
_GZIP_LEVEL: Final = 6
_QUICK: Final = 1
"""Quality and level of what is sent once: a quarter of the time, for a third more bytes."""
_ALIASES: Final = {"x-gzip": "gzip"}  # RFC 9110 §8.4.1.3


@lru_cache(maxsize=256)
def negotiated_coding(header: str) -> Coding:
    """The coding of the highest weight, compressed ones first; `identity` where none is accepted.

    Without weight, `identity` is what is left when no other coding is accepted.
    """
    weights = {_ALIASES.get(name, name): value for name, value in quality_values(header)}
    others = weights.get("*", 0.0)
    offered: dict[Coding, float] = {
        each: weights.get(each, 0.0 if each == "identity" else others) for each in CODINGS
    }
    best = max(CODINGS, key=lambda each: offered[each])  # the first of several
    return best if offered[best] else "identity"


def encoded(body: bytes, coding: Coding, *, quickly: bool = False) -> bytes:
    """The body in a coding; the same bytes for the same body."""
    if coding == "br":
        quality = _QUICK if quickly else _BROTLI_QUALITY
        compressed: bytes = brotli.compress(body, quality=quality, lgwin=_BROTLI_WINDOW)
        return compressed
    level = _QUICK if quickly else _GZIP_LEVEL
    return gzip.compress(body, level, mtime=0) if coding == "gzip" else body
