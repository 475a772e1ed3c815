"""`make bench`: measures and reports; it asserts nothing but that every call was answered."""

import argparse
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields

import uvloop
from rich.console import Console

from tests.bench import breakdown, report
from tests.bench.intake import loaded
from tests.bench.lookups import looked_up
from tests.bench.plan import ISSUING, VERIFYING, Plan
from tests.bench.races import issuing, verifying
from tests.bench.rounds import Race, Score, measured
from tests.bench.servers import Server, servers
from tests.bench.stage import Stage, stage

HELP = {
    "part": "which path is measured",
    "rounds": "how often each contender is measured",
    "seconds": "how long one window of load lasts",
    "connections": "keep-alive connections, each with one request under way",
    "entities": "how many enterprises the synthetic province has",
    "steps": "calls whose single steps are timed",
    "scale": "enterprises of the large database of look-ups, where none is given",
    "lookups": "look-ups of each sort in each database",
    "province": "enterprises of the province whose files are taken in",
    "loads": "how often it is taken in",
}


def main() -> None:
    """Set up, measure, report, clean up."""
    plan, console, began = _plan(), Console(), time.monotonic()
    with ExitStack() as stack:
        with console.status("PostgreSQL, Redis, a synthetic province …"):
            built = stack.enter_context(stage(plan.entities))
        if plan.has("verification"):
            _verification(plan, built, console, began)
        if plan.has("token"):
            _token(plan, built, console, began)
        if plan.has("lookup"):
            _lookup(plan, built, console, began)
        if plan.has("intake"):
            _intake(plan, built, console, began)


def _verification(plan: Plan, built: Stage, console: Console, began: float) -> None:
    with servers(built, VERIFYING) as running:
        scores = _raced(plan, verifying(plan, built, running), running, console, began)
        with console.status("Timing single steps …"):
            found = uvloop.run(breakdown.verifying(built, plan.steps))
    report.show_rates(console, report.VERIFYING, scores, plan)
    report.show_breakdown(console, "verification", found, scores)


def _token(plan: Plan, built: Stage, console: Console, began: float) -> None:
    with servers(built, ISSUING) as running:
        scores = _raced(plan, issuing(plan, built, running), running, console, began)
        with console.status("Timing single steps …"):
            found = uvloop.run(breakdown.issuing(built, plan.steps))
    report.show_rates(console, report.ISSUING, scores, plan)
    report.show_breakdown(console, "token", found, scores)


def _lookup(plan: Plan, built: Stage, console: Console, began: float) -> None:
    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {sentence}[/]", highlight=False)

    report.show_lookups(console, looked_up(plan, built, say))


def _intake(plan: Plan, built: Stage, console: Console, began: float) -> None:
    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {sentence}[/]", highlight=False)

    report.show_loads(console, loaded(plan, built, say))


def _raced(
    plan: Plan, race: Race, running: Mapping[str, Server], console: Console, began: float
) -> dict[str, Score]:
    scores = race.scores()
    for done in measured(plan, race, running, scores):
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {done}[/]", highlight=False)
    return scores


def _plan() -> Plan:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    for each in fields(Plan):
        default = each.default
        parser.add_argument(
            f"--{each.name}",
            type=type(default),
            default=default,
            choices=each.metadata.get("choices"),
            help=f"{HELP[each.name]} (default {default})",
        )
    return Plan(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
