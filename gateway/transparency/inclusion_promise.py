"""The log promises: this leaf, in that log, by then. A leaf missing later is proof against us."""

from datetime import datetime, timedelta

from gateway.transparency.log_leaf import MERGE_SECONDS


def log_promise(leaf: bytes, issuer: str, merge_by: str) -> dict[str, str]:
    """The member `log_promise` of an answer."""
    return {"leaf_hash": leaf.hex(), "log": f"{issuer}/log", "merge_by": merge_by}


def merge_by(now: datetime) -> datetime:
    """The latest time by which a leaf that was written at `now` is in the tree."""
    return now + timedelta(seconds=MERGE_SECONDS)
