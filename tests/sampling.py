"""Sampling of long tests: a part by default, everything under `FULL=1`."""

import os
from typing import Final

FULL: Final = bool(os.environ.get("FULL"))


def sampled(count: int, *, full: int) -> int:
    """Number of repetitions: so many, or the full number under `FULL=1`."""
    return full if FULL else count
