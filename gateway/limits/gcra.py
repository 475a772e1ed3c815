"""The generic cell rate algorithm (ITU-T I.371), pure: integers in, integers out, microseconds all.

A counter is one number, the theoretical arrival time (TAT): when its quota will be full again.
The emission interval is rounded up, so that rounding never lets in more than the quota.
"""

from dataclasses import dataclass

SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GcraDecision:
    """Whether `cost` fits. `tat` is unchanged where it does not; times are in microseconds.

    `retry_after` is 0 where it fits, and the time until full where the cost can never fit.
    `reset` is the time until the quota is full.
    """

    allowed: bool
    tat: int
    remaining: int
    retry_after: int
    reset: int


def emission(quota: int, window: int) -> int:
    """The time that one unit of cost takes to come back."""
    return -(-window // quota)


def decide(tat: int, now: int, quota: int, window: int, cost: int) -> GcraDecision:
    """Judge `cost` against a counter last left at `tat` (0 for a new one)."""
    interval = emission(quota, window)
    capacity = quota * interval
    before = max(tat, now)
    after = before + cost * interval
    allowed = after - now <= capacity
    left = after if allowed else before
    wait = _wait(after - now - capacity, before - now, fits=cost <= quota)
    return GcraDecision(
        allowed=allowed,
        tat=after if allowed else tat,
        remaining=max(0, capacity - (left - now)) // interval,
        retry_after=0 if allowed else wait,
        reset=left - now,
    )


def _wait(until_fits: int, until_full: int, *, fits: bool) -> int:
    return until_fits if fits else max(until_full, 1)
