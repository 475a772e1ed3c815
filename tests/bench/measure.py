"""Rounds of measurement: each measures every contender, in rotated order against drift."""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median, quantiles
from typing import Final

from tests.bench.load_generator import Job, Window, run
from tests.bench.options import Contender, Options
from tests.bench.servers import CpuTimes, Server

WARM_UP: Final = 500
# More proofs than the last window needed, so that the time runs out before they do.
MARGIN: Final = 1.4
SPARE: Final = 128  # for the requests that are under way when the time is over
REPEATED: Final = 2_000  # requests that are sent over and over where no proof is looked at


@dataclass(slots=True)
class Result:
    """Windows of one contender, in the order of the rounds."""

    contender: Contender
    windows: list[Window] = field(default_factory=list)
    spent: list[CpuTimes] = field(default_factory=list)
    resident: int = 0

    @property
    def rates(self) -> list[float]:
        """Answers per second, by round."""
        return [window.per_second for window in self.windows]

    @property
    def calls(self) -> int:
        """Number of calls answered."""
        return sum(len(window.latencies) for window in self.windows)

    def ratio_to(self, other: "Result") -> float:
        """Median over the rounds of the ratio of both rates."""
        return median(own / its for own, its in zip(self.rates, other.rates, strict=True))

    def percentile(self, of_hundred: int) -> float:
        """A percentile of the latency over all rounds, in seconds."""
        every = [latency for window in self.windows for latency in window.latencies]
        return quantiles(every, n=100)[of_hundred - 1]

    def cpu(self, whose: str) -> float:
        """CPU seconds per call: of `worker`, `postgres` or `redis`."""
        return float(sum(getattr(each, whose) for each in self.spent)) / self.calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Contenders of one part; `ready` prepares the job of a window with so many requests."""

    contenders: tuple[Contender, ...]
    ready: Callable[[Contender, int], Job]
    warm_up: int = WARM_UP

    def results(self) -> dict[str, Result]:
        """Empty results, by contender."""
        return {each.name: Result(each) for each in self.contenders}

    def order(self, turn: int) -> tuple[Contender, ...]:
        """The contenders rotated by one each round."""
        start = turn % len(self.contenders)
        return self.contenders[start:] + self.contenders[:start]


def measure(
    options: Options,
    comparison: Comparison,
    servers: Mapping[str, Server],
    results: Mapping[str, Result],
) -> Iterator[str]:
    """Warm up, then run the rounds into `results`; yields progress lines."""
    with load_generator() as shoot:
        rates = {
            each.name: shoot(comparison.ready(each, comparison.warm_up)).per_second
            for each in comparison.contenders
        }
        yield "warmed up"
        for turn in range(options.rounds):
            for contender in comparison.order(turn):
                server, result = servers[contender.server], results[contender.name]
                count = requests_for(contender, rates[contender.name], options.seconds)
                before = server.spent()
                window = shoot(comparison.ready(contender, count))
                result.spent.append(server.spent().since(before))
                result.windows.append(window)
                result.resident = server.resident()
                rates[contender.name] = window.per_second
                yield f"round {turn + 1}: {contender.title} {window.per_second:,.0f}/s"


@contextmanager
def load_generator() -> Iterator[Callable[[Job], Window]]:
    """A process that runs windows of load."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield lambda job: pool.submit(run, job).result()


def requests_for(contender: Contender, rate: float, seconds: float) -> int:
    """Number of requests that a window needs, with a margin."""
    if not contender.fresh_proofs:
        return REPEATED
    return math.ceil(rate * seconds * MARGIN) + SPARE
