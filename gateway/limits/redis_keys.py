"""Keys of the limit stores: digests, never a caller's own text."""

import hashlib

from gateway.limits.model import Counter, Distinct


def short_digest(text: str) -> str:
    """The first 128 bits of the SHA-256 of `text`, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def counter_key(counter: Counter) -> str:
    """The key of a counter: its window is part of it, its quota is not."""
    return f"counter:{counter.name}:{counter.window}:{short_digest(counter.key)}"


def distinct_key(distinct: Distinct) -> str:
    """The key of the set of members seen."""
    return f"distinct:{distinct.name}:{distinct.window}:{short_digest(distinct.key)}"
