"""Inclusion promise in an answer: this leaf will be in the log by that time.

A leaf missing afterwards is proof against the operator.
"""

from datetime import datetime, timedelta

from gateway.transparency.disclosure_leaf import MERGE_SECONDS


def log_promise(leaf: bytes, issuer: str, merge_by: str) -> dict[str, str]:
    """The member `log_promise` of an answer."""
    return {"leaf_hash": leaf.hex(), "log": f"{issuer}/log", "merge_by": merge_by}


def merge_deadline(now: datetime) -> datetime:
    """The time by which a leaf written at `now` is in the tree."""
    return now + timedelta(seconds=MERGE_SECONDS)
