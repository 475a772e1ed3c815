"""GCRA, the generic cell rate algorithm (ITU-T I.371): pure, integers, microseconds.

A counter is one number, the theoretical arrival time (TAT), at which its quota is full again.
The emission interval is rounded up, so that rounding never lets in more than the quota.
"""

from dataclasses import dataclass

SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GcraDecision:
    """A counter after a charge, if it is `allowed`; else the unchanged counter.

    `retry_after` is 0 where it fits, and the time until full where the cost can never fit; `refill` is
    the time until one more unit remains, 0 where the quota is full; `reset` is the time until it is.
    All in microseconds.
    """

    allowed: bool
    tat: int
    remaining: int
    retry_after: int
    refill: int
    reset: int


def emission_interval(quota: int, window: int) -> int:
    """The emission interval: the time in which one unit of cost is refilled."""
    return -(-window // quota)


def decide(tat: int, now: int, quota: int, window: int, cost: int) -> GcraDecision:
    """Charge `cost` to a counter at `tat` (0 for a new one), if it fits."""
    interval = emission_interval(quota, window)
    capacity = quota * interval
    before = max(tat, now)
    after = before + cost * interval
    allowed = after - now <= capacity
    left = after if allowed else before
    room = capacity - (left - now)
    remaining = max(0, room) // interval
    wait = _wait(after - now - capacity, before - now, fits=cost <= quota)
    return GcraDecision(
        allowed=allowed,
        tat=after if allowed else tat,
        remaining=remaining,
        retry_after=0 if allowed else wait,
        refill=(remaining + 1) * interval - room if room < capacity else 0,
        reset=left - now,
    )


def _wait(until_fits: int, until_full: int, *, fits: bool) -> int:
    return until_fits if fits else max(until_full, 1)
