"""Keys of the limit stores: digests, never a caller's own text."""

import hashlib

from gateway.limits.model import SHARED_TAG, Counter, Distinct


def short_digest(text: str) -> str:
    """The first 128 bits of the SHA-256 of `text`, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def full_counter_key(tag: str, counter: Counter) -> str:
    """The whole key of a counter under a tag, or of a shared one."""
    return f"xq:{{{SHARED_TAG if counter.shared else tag}}}:{counter_key(counter)}"


def counter_key(counter: Counter) -> str:
    """The key of a counter: its window is part of it, its quota is not."""
    return f"counter:{counter.name}:{counter.window}:{short_digest(counter.key)}"


def distinct_key(distinct: Distinct) -> str:
    """The key of the set of members seen."""
    return f"distinct:{distinct.name}:{distinct.window}:{short_digest(distinct.key)}"
