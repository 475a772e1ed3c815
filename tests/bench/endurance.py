"""A worker's memory under hours of verifications: after the first minute, and at the end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tests.bench.contenders import compare_verifications
from tests.bench.environment import Environment
from tests.bench.load_generator import LoadFailedError
from tests.bench.measure import WARM_UP, load_generator, requests_for
from tests.bench.options import VERIFYING_GATEWAY, Options
from tests.bench.servers import servers

WINDOW_SECONDS: Final = 10.0  # proofs are made between the windows, and their nonce is fresh
MINUTE: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """Bytes of the worker after the first minute and at the end, and the calls in between."""

    first: int
    last: int
    calls: int

    @property
    def growth(self) -> float:
        """The last to the first."""
        return self.last / self.first


def measure_endurance(
    options: Options, environment: Environment, say: Callable[[str], None]
) -> Endurance:
    """Verify for so many minutes, window after window; a window refused on a busy machine has no rate."""
    if options.memory <= 1:
        raise SystemExit("--memory needs more than a minute: the first is what the end is held to.")
    (contender,) = VERIFYING_GATEWAY
    windows = replace(options, seconds=WINDOW_SECONDS)
    with servers(environment, VERIFYING_GATEWAY) as running, load_generator() as shoot:
        comparison = compare_verifications(windows, environment, running, VERIFYING_GATEWAY)
        server, rate = running[contender.server], 0.0
        began, first, calls = time.monotonic(), 0, 0
        while time.monotonic() < began + MINUTE * options.memory:
            count = requests_for(contender, rate, WINDOW_SECONDS) if rate else WARM_UP
            try:
                window = shoot(comparison.ready(contender, count))
            except LoadFailedError as failure:  # its memory counts all the same
                say(f"a window without a rate: {failure}")
            else:
                rate, calls = window.per_second, calls + len(window.latencies)
            resident = server.resident()
            if not first and time.monotonic() >= began + MINUTE:
                first = resident
            say(f"{rate:,.0f}/s, {resident / 2**20:.1f} MiB")
        return Endurance(first=first, last=resident, calls=calls)
