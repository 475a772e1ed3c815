"""One run of the benchmark: its options, its environment, and what it says on the way."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console

from tests.bench.environment import Environment
from tests.bench.measure import Comparison, Result, measure
from tests.bench.options import Options
from tests.bench.servers import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A running benchmark; `began` is a reading of the monotonic clock."""

    options: Options
    environment: Environment
    console: Console
    began: float

    def say(self, sentence: str) -> None:
        """Print a line of progress."""
        elapsed = time.monotonic() - self.began
        self.console.print(f"[dim]{elapsed:5.0f} s  {sentence}[/]", highlight=False)

    def race(self, comparison: Comparison, running: Mapping[str, Server]) -> dict[str, Result]:
        """Measure a comparison's contenders, round by round."""
        results = comparison.results()
        for done in measure(self.options, comparison, running, results):
            self.say(done)
        return results
