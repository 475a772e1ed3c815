"""Latency beside the floor: over one connection, and at 70 % of each contender's own peak rate."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import median, quantiles
from typing import Final

from tests.bench.load_generator import Job, Window
from tests.bench.measure import MARGIN, SPARE, Comparison, Result, load_generator
from tests.bench.options import BASELINE, GATEWAY, Contender, Options

SHARE_OF_PEAK: Final = 0.7
COMPARED: Final = (GATEWAY, BASELINE)
_ALONE: Final = 0.5  # of a window's length: a median needs fewer calls …
_LONGER: Final = 2  # … than a tail


@dataclass(slots=True, kw_only=True)
class Latencies:
    """Seconds of each call, over one connection and at a fixed rate."""

    contender: Contender
    rate: float
    alone: list[float] = field(default_factory=list)
    paced: list[float] = field(default_factory=list)

    @property
    def p50_alone(self) -> float:
        """Median over one connection."""
        return median(self.alone)

    @property
    def p99_paced(self) -> float:
        """99th percentile at the fixed rate, each from the moment when it should have been sent."""
        return quantiles(self.paced, n=100)[98]


def latencies_of(results: Mapping[str, Result]) -> dict[str, Latencies]:
    """Empty latencies, each with the rate at which it is to be measured."""
    return {
        name: Latencies(
            contender=results[name].contender, rate=SHARE_OF_PEAK * median(results[name].rates)
        )
        for name in COMPARED
    }


def measure_latency(
    options: Options, comparison: Comparison, found: Mapping[str, Latencies]
) -> Iterator[str]:
    """Measure the contenders in turn into `found`; yields progress lines."""
    with load_generator() as shoot:
        for turn in range(options.rounds):
            for name in COMPARED[:: 1 if turn % 2 else -1]:
                _measure_one(shoot, comparison, found[name], options.seconds)
            yield f"round {turn + 1}: latency of {' and '.join(COMPARED)}"


def _measure_one(
    shoot: Callable[[Job], Window], comparison: Comparison, found: Latencies, seconds: float
) -> None:
    shorter, longer = seconds * _ALONE, seconds * _LONGER
    peak = found.rate / SHARE_OF_PEAK
    alone = comparison.ready(found.contender, math.ceil(peak * shorter * MARGIN))
    found.alone += shoot(replace(alone, connections=1, seconds=shorter)).latencies
    paced = comparison.ready(found.contender, math.ceil(found.rate * longer) + SPARE)
    found.paced += shoot(replace(paced, rate=found.rate, seconds=longer)).latencies
