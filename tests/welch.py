"""Timing side channels: Welch's t-test over interleaved response times.

Each round sends every group of requests once, in a changing order, with two controls: `twin` repeats the
baseline (an A/A test), `leaky` repeats it slower by a known share of its time. A result counts only if
the twin is indistinguishable and the leak is detected.

`FULL=1` runs the full test: no margin, at most the slowest 1 % of a group left out, at least 2,000
samples of each group, and more until a leak of 5 % would be detected. The short form, for a busy
machine, detects gross differences only, and also goes on until it would.
"""

import math
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

FULL: Final = bool(os.environ.get("FULL"))
SURE: Final = 4.5
"""Standard errors from which on a difference counts: one false alarm in 150,000 comparisons."""
TWIN: Final = "twin"
LEAKY: Final = "leaky"
MARK: Final = b"x-request-id"
WARM_UP: Final = 10

Seconds = float
Ask = Callable[[str], Awaitable[Seconds]]
"""Sends one request with this text as its X-Request-Id; gives the seconds until its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """Number of samples and thresholds of the judgement."""

    rounds: int
    every: int
    """Rounds between two looks at how exact the means are."""
    most_rounds: int
    kept: float
    """Share of each group's samples that count, from the fastest on."""
    margin: float
    """Difference that does not count, as a share of the median answer."""
    leak: float
    """How much slower the leaky control is, as a share of the median answer."""


WHOLE: Final = SamplePlan(
    rounds=2_000, every=500, most_rounds=10_000, kept=0.99, margin=0.0, leak=0.05
)
SMALL: Final = SamplePlan(rounds=60, every=60, most_rounds=600, kept=0.8, margin=0.2, leak=1.0)
FORM: Final = WHOLE if FULL else SMALL


@dataclass(slots=True)
class LeakyApplication:
    """Control: the same application, slower for requests with `mark` as X-Request-Id."""

    app: ASGIApp
    mark: str = LEAKY
    seconds: Seconds = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Delay by CPU work, since timers are too coarse."""
        if scope["type"] == "http" and dict(scope["headers"]).get(MARK) == self.mark.encode():
            until = time.perf_counter() + self.seconds
            while time.perf_counter() < until:
                pass
        await self.app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Response times of each group and of the baseline."""

    t: Mapping[str, float]
    medians: Mapping[str, Seconds]
    samples: int
    form: SamplePlan = field(default=FORM)

    def demand_alike(self) -> None:
        """Fail if a group is distinguishable from the baseline, or a control does not hold."""
        assert abs(self.t[TWIN]) < SURE, f"the same request twice is told apart: {self}"
        assert self.t[LEAKY] > SURE, f"an injected leak is not seen: {self}"
        told = [name for name in self.t if name != LEAKY and abs(self.t[name]) >= SURE]
        assert not told, f"{', '.join(told)} can be told apart: {self}"

    def __str__(self) -> str:
        """A line for each group."""
        lines = (
            f"{name}: median {1000 * median:.3f} ms, t = {self.t.get(name, 0.0):+.2f}"
            for name, median in self.medians.items()
        )
        return f"{self.samples} samples each\n  " + "\n  ".join(lines)


async def compare(
    groups: Mapping[str, Ask], *, slower: LeakyApplication, baseline: str, form: SamplePlan = FORM
) -> Comparison:
    """Time each group and both controls, interleaved; `slower` is the leaky application."""
    asks = {**groups, TWIN: groups[baseline], LEAKY: groups[baseline]}
    slower.seconds = 0.0
    warm = [await asks[name](name) for _ in range(WARM_UP) for name in asks]
    slower.seconds = form.leak * statistics.median(warm)
    taken: dict[str, list[Seconds]] = {name: [] for name in asks}
    order = random.Random(20251122)  # noqa: S311  # an order, not a secret
    while not _enough(taken[baseline], form):
        for name in order.sample(list(asks), len(asks)):
            taken[name].append(await asks[name](name))
    kept = {name: trimmed(times, form.kept) for name, times in taken.items()}
    return Comparison(
        t={
            name: welch(kept[name], kept[baseline], form.margin)
            for name in asks
            if name != baseline
        },
        medians={name: statistics.median(times) for name, times in kept.items()},
        samples=len(kept[baseline]),
        form=form,
    )


def welch(one: Sequence[Seconds], other: Sequence[Seconds], margin: float = 0.0) -> float:
    """Welch's t of two groups, for the difference beyond the margin."""
    difference = statistics.fmean(one) - statistics.fmean(other)
    beyond = max(abs(difference) - margin * statistics.median([*one, *other]), 0.0)
    return math.copysign(beyond, difference) / math.hypot(_error(one), _error(other))


def trimmed(times: Sequence[Seconds], kept: float) -> list[Seconds]:
    """The fastest share of a group."""
    return sorted(times)[: math.ceil(len(times) * kept)]


def _enough(times: Sequence[Seconds], form: SamplePlan) -> bool:
    """True if the leaky control would be detected at the present sample size."""
    if len(times) < form.rounds:
        return False
    if len(times) >= form.most_rounds or len(times) % form.every:
        return len(times) >= form.most_rounds
    kept = trimmed(times, form.kept)
    return 2 * SURE * math.sqrt(2) * _error(kept) < form.leak * statistics.median(kept)


def _error(times: Sequence[Seconds]) -> float:
    return math.sqrt(statistics.variance(times) / len(times))
