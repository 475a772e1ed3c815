"""Entry point of `make bench`: set up, measure, report. A call that is not answered 200 ends the run."""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final

from rich.console import Console

from tests.bench import long_parts, report, request_paths
from tests.bench.environment import environment
from tests.bench.goals import Outcomes
from tests.bench.options import Options
from tests.bench.session import Session

HELP: Final = {
    "part": "which path is measured",
    "rounds": "how often each contender is measured",
    "seconds": "how long one window of load lasts",
    "connections": "keep-alive connections, each with one request under way",
    "entities": "how many enterprises the synthetic province has",
    "steps": "calls whose single steps are timed",
    "memory": "instead of a part: so many minutes of verifications, and the worker's memory",
    "workers": "instead of a part: verifications by so many workers, and the log's lag",
    "scale": "enterprises of the large database of look-ups, where none is given",
    "lookups": "look-ups of each sort in each database",
    "samples": "how often each request is timed by each path",
    "province": "enterprises of the province whose files are taken in",
    "loads": "how often it is taken in",
    "stickers": "stickers of a bulk drawing",
    "draws": "how often they are drawn",
}
PARTS: Final[Mapping[str, Callable[[Session], Outcomes]]] = {
    "verification": request_paths.verification,
    "query": request_paths.query,
    "token": request_paths.token,
    "page": request_paths.page,
    "batch": long_parts.batch,
    "timing": long_parts.timing,
    "watch": long_parts.watch,
    "lookup": long_parts.lookup,
    "ingest": long_parts.ingest,
    "codes": long_parts.codes,
    "memory": long_parts.memory,
    "workers": long_parts.workers,
}


def main() -> None:
    """Set up, measure, report, clean up."""
    options, console, began = _plan(), Console(), time.monotonic()
    with environment(options.province_size) as built:
        session = Session(options=options, environment=built, console=console, began=began)
        session.say("PostgreSQL, Redis and a synthetic province are there")
        for part in options.parts:
            before = os.getloadavg()
            outcomes = PARTS[part](session)
            report.show_goals(console, part, outcomes, (before, os.getloadavg()))


def _plan() -> Options:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    for each in fields(Options):
        default = each.default
        parser.add_argument(
            f"--{each.name}",
            type=type(default),
            default=default,
            choices=each.metadata.get("choices"),
            help=f"{HELP[each.name]} (default {default})",
        )
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
