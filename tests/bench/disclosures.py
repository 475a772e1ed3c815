"""Disclosures told and logged by several workers together, and how far the log is behind them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import asyncpg
from sqlalchemy.engine import make_url

from tests.bench.contenders import compare_verifications
from tests.bench.environment import Environment
from tests.bench.load_generator import Window
from tests.bench.measure import WARM_UP, load_generator, requests_for
from tests.bench.options import VERIFYING_GATEWAY, Options
from tests.bench.servers import servers

_BETWEEN: Final = 0.2  # seconds between two looks at the oldest leaf
_OLDEST: Final = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float FROM pending_leaf"
)


@dataclass(slots=True, kw_only=True)
class Disclosures:
    """Windows of load, and the largest age of a leaf that was not in the log yet, in seconds."""

    windows: list[Window] = field(default_factory=list)
    lag: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second, median of the windows; each is a disclosure with its leaf, committed."""
        return median(window.per_second for window in self.windows)

    @property
    def generator(self) -> float:
        """Part of a core that the load generator used."""
        return median(window.cpu / window.seconds for window in self.windows)


def measure_disclosures(
    options: Options, environment: Environment, say: Callable[[str], None]
) -> Disclosures:
    """Verify by single calls on so many workers, and watch the log meanwhile."""
    (contender,) = VERIFYING_GATEWAY
    found = Disclosures()
    # Uvicorn's workers: the supervisor of `serve` starts none behind the demo's address without TLS.
    workers = str(options.workers)
    with (
        servers(environment, VERIFYING_GATEWAY, WEB_CONCURRENCY=workers) as running,
        load_generator() as shoot,
    ):
        comparison = compare_verifications(options, environment, running, VERIFYING_GATEWAY)
        rate = 0.0
        for turn in range(1 + options.rounds):
            count = requests_for(contender, rate, options.seconds) if rate else WARM_UP
            job = comparison.ready(contender, count)
            with _watching(environment, found):
                window = shoot(job)
            rate = window.per_second
            if turn:  # the first warms up
                found.windows.append(window)
                say(f"round {turn}: {rate:,.0f}/s, the log at most {found.lag:.2f} s behind")
            else:
                found.lag = 0.0
    return found


@contextmanager
def _watching(environment: Environment, found: Disclosures) -> Iterator[None]:
    """Note the largest lag inside the block."""
    done = threading.Event()
    watcher = threading.Thread(target=asyncio.run, args=(_watch(environment, found, done),))
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


async def _watch(environment: Environment, found: Disclosures, done: threading.Event) -> None:
    address = make_url(environment.settings.database_url)
    connection = await asyncpg.connect(
        host=address.query["host"], user=address.username, database=address.database
    )
    while not done.is_set():
        found.lag = max(found.lag, await connection.fetchval(_OLDEST))
        await asyncio.sleep(_BETWEEN)
    await connection.close()
