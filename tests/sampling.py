"""How much of a long test runs: a sample, or under `FULL=1` all of it."""

import os
from typing import Final

FULL: Final = bool(os.environ.get("FULL"))


def sampled(count: int, *, full: int) -> int:
    """So many turns, or under `FULL=1` the full number."""
    return full if FULL else count
