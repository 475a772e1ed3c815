"""Content codings of pages: brotli and gzip, negotiated by `Accept-Encoding` (RFC 9110 §12.5.3)."""

import gzip
import re
from functools import lru_cache
from typing import Final, Literal

import brotli

Coding = Literal["br", "gzip", "identity"]

CODINGS: Final[tuple[Coding, ...]] = ("br", "gzip", "identity")
"""In the order of preference among equal weights."""
MAX_HEADER: Final = 1_000
_BROTLI_QUALITY: Final = 5
_BROTLI_WINDOW: Final = 16  # 64 KiB, more than a page has
_GZIP_LEVEL: Final = 6
_WEIGHT: Final = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_ALIASES: Final = {"x-gzip": "gzip"}  # RFC 9110 §8.4.1.3


@lru_cache(maxsize=256)
def negotiated_coding(header: str) -> Coding:
    """The coding of the highest weight, compressed ones first; `identity` where none is accepted.

    Without weight, `identity` is what is left when no other coding is accepted.
    """
    weights = dict(_weights(header[:MAX_HEADER].lower()))
    others = weights.get("*", 0.0)
    offered: dict[Coding, float] = {
        each: weights.get(each, 0.0 if each == "identity" else others) for each in CODINGS
    }
    best = max(CODINGS, key=lambda each: offered[each])  # the first of several
    return best if offered[best] else "identity"


def encoded(body: bytes, coding: Coding) -> bytes:
    """The body in a coding; the same bytes for the same body."""
    if coding == "br":
        compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY, lgwin=_BROTLI_WINDOW)
        return compressed
    return gzip.compress(body, _GZIP_LEVEL, mtime=0) if coding == "gzip" else body


def _weights(header: str) -> "list[tuple[str, float]]":
    """Each coding of the header with its weight; a malformed weight is 0."""
    found = []
    for item in header.split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weight = _WEIGHT.fullmatch(parameters[0]) if parameters else None
        value = (float(weight[1]) if weight else 0.0) if parameters else 1.0
        if name:
            found.append((_ALIASES.get(name, name), value))
    return found
