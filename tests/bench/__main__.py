"""`make bench`: measures and reports; it asserts nothing but that every call was answered."""

import argparse
import time
from contextlib import ExitStack
from dataclasses import fields

import uvloop
from rich.console import Console

from tests.bench.breakdown import broken_down
from tests.bench.plan import Plan
from tests.bench.report import show_breakdown, show_rates
from tests.bench.rounds import measured, new_scores
from tests.bench.servers import servers
from tests.bench.stage import stage

HELP = {
    "rounds": "how often each contender is measured",
    "seconds": "how long one window of load lasts",
    "connections": "keep-alive connections, each with one request under way",
    "entities": "how many enterprises the synthetic province has",
    "steps": "calls whose single steps are timed",
}


def main() -> None:
    """Set up, measure, report, clean up."""
    plan, console, began = _plan(), Console(), time.monotonic()
    with ExitStack() as stack:
        with console.status("PostgreSQL, Redis, a synthetic province …"):
            built = stack.enter_context(stage(plan.entities))
            running = stack.enter_context(servers(built))
        scores = new_scores()
        for done in measured(plan, built, running, scores):
            console.print(f"[dim]{time.monotonic() - began:5.0f} s  {done}[/]", highlight=False)
        with console.status("Timing single steps …"):
            found = uvloop.run(broken_down(built, plan.steps))
    show_rates(console, scores, plan)
    show_breakdown(console, found, scores)


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    for each in fields(Plan):
        default = each.default
        parser.add_argument(
            f"--{each.name}",
            type=type(default),
            default=default,
            help=f"{HELP[each.name]} (default {default})",
        )
    return Plan(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
