"""Where things are kept. Stores hold digests, never what a caller wrote, however long."""

import hashlib

from gateway.limits.model import Counter, Distinct


def short(text: str) -> str:
    """128 bits that stand for `text`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def counter_key(counter: Counter) -> str:
    """Where a counter lives: another window is another place, another quota is not."""
    return f"counter:{counter.name}:{counter.window}:{short(counter.key)}"


def distinct_key(distinct: Distinct) -> str:
    """Where the set of members seen lives."""
    return f"distinct:{distinct.name}:{distinct.window}:{short(distinct.key)}"
