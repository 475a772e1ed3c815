"""Every round measures every contender, each time in another order, so that drift hits all alike."""

import asyncio
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median, quantiles
from typing import Final

import orjson

from tests.bench.load import Job, Window, fire
from tests.bench.plan import CONTENDERS, Contender, Plan
from tests.bench.servers import Server, Spent
from tests.bench.stage import Stage

WARM_UP: Final = 500
# More proofs than the last window needed, so that the time runs out before they do.
MARGIN: Final = 1.4
REPEATED: Final = 2_000  # requests that are sent over and over where no proof is looked at


@dataclass(slots=True)
class Score:
    """One contender's windows, in the order of the rounds."""

    contender: Contender
    windows: list[Window] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    resident: int = 0

    @property
    def rates(self) -> list[float]:
        """Answers per second, by round."""
        return [window.per_second for window in self.windows]

    @property
    def calls(self) -> int:
        """How many calls were answered in all."""
        return sum(len(window.latencies) for window in self.windows)

    def ratio_to(self, other: "Score") -> float:
        """The median over the rounds of this rate to that of the same round."""
        return median(own / its for own, its in zip(self.rates, other.rates, strict=True))

    def percentile(self, of_hundred: int) -> float:
        """A percentile of the latency over all rounds, in seconds."""
        every = [latency for window in self.windows for latency in window.latencies]
        return quantiles(every, n=100)[of_hundred - 1]

    def cpu(self, whose: str) -> float:
        """CPU seconds per call: of `worker`, `postgres` or `redis`."""
        return float(sum(getattr(each, whose) for each in self.spent)) / self.calls


def new_scores() -> dict[str, Score]:
    """A score for each contender, by name."""
    return {each.name: Score(each) for each in CONTENDERS}


def measured(
    plan: Plan, stage: Stage, servers: Mapping[str, Server], scores: Mapping[str, Score]
) -> Iterator[str]:
    """Warm up, then run the rounds into `scores`; gives what it has just done."""
    with _range(plan, stage) as shoot:
        rates = {
            each.name: shoot(each, servers[each.server], WARM_UP).per_second for each in CONTENDERS
        }
        yield "warmed up"
        for turn in range(plan.rounds):
            for contender in _rotated(turn):
                server, score = servers[contender.server], scores[contender.name]
                count = _count(contender, rates[contender.name], plan)
                before = server.spent()
                window = shoot(contender, server, count)
                score.spent.append(server.spent().since(before))
                score.windows.append(window)
                score.resident = server.resident()
                rates[contender.name] = window.per_second
                yield f"round {turn + 1}: {contender.title} {window.per_second:,.0f}/s"


class _Shoot:
    """Has one window fired by the process that loads."""

    def __init__(self, plan: Plan, stage: Stage, pool: ProcessPoolExecutor) -> None:
        self._plan = plan
        self._stage = stage
        self._pool = pool
        self._at = 0

    def __call__(self, contender: Contender, server: Server, count: int) -> Window:
        bodies = self._stage.bodies
        turned = bodies[self._at :] + bodies[: self._at]
        self._at = (self._at + count) % len(bodies)
        job = Job(
            contender=contender,
            port=server.port,
            seconds=self._plan.seconds,
            count=count,
            connections=self._plan.connections,
            kit=orjson.dumps(self._stage.kit),
            jwk=self._stage.jwk,
            bodies=turned,
        )
        asyncio.run(self._stage.forget_probes())
        return self._pool.submit(fire, job).result()


@contextmanager
def _range(plan: Plan, stage: Stage) -> Iterator[_Shoot]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield _Shoot(plan, stage, pool)


def _rotated(turn: int) -> tuple[Contender, ...]:
    start = turn % len(CONTENDERS)
    return CONTENDERS[start:] + CONTENDERS[:start]


def _count(contender: Contender, rate: float, plan: Plan) -> int:
    if not contender.fresh_proofs:
        return REPEATED
    return math.ceil(rate * plan.seconds * MARGIN) + plan.connections
