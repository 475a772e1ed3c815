"""Entry point of `make bench`: set up, measure, report. A call that is not answered 200 ends the run."""

import argparse
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields

import uvloop
from rich.console import Console

from tests.bench import breakdown, report
from tests.bench.contenders import compare_tokens, compare_verifications
from tests.bench.environment import Environment, environment
from tests.bench.ingest import measure_ingest
from tests.bench.lookups import measure_lookups
from tests.bench.measure import Comparison, Result, measure
from tests.bench.options import TOKEN_CONTENDERS, VERIFICATION_CONTENDERS, Options
from tests.bench.page_paint import measure_paints
from tests.bench.pages import page_servers
from tests.bench.servers import Server, servers
from tests.bench.sheets import measure_sheets

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
    "stickers": "stickers of a bulk drawing",
    "draws": "how often they are drawn",
}


def main() -> None:
    """Set up, measure, report, clean up."""
    options, console, began = _plan(), Console(), time.monotonic()
    if options.has("codes"):
        _codes(options, console, began)
    if options.part == "codes":
        return
    with ExitStack() as stack:
        with console.status("PostgreSQL, Redis, a synthetic province …"):
            built = stack.enter_context(environment(options.entities))
        if options.has("verification"):
            _verification(options, built, console, began)
        if options.has("token"):
            _token(options, built, console, began)
        if options.has("page"):
            _page(options, built, console, began)
        if options.has("lookup"):
            _lookup(options, built, console, began)
        if options.has("ingest"):
            _ingest(options, built, console, began)


def _verification(options: Options, built: Environment, console: Console, began: float) -> None:
    with servers(built, VERIFICATION_CONTENDERS) as running:
        results = _raced(
            options, compare_verifications(options, built, running), running, console, began
        )
        with console.status("Timing single steps …"):
            found = uvloop.run(breakdown.verification_breakdown(built, options.steps))
    report.show_rates(console, report.VERIFICATION_LINES, results, options)
    report.show_breakdown(console, "verification", found, results)


def _token(options: Options, built: Environment, console: Console, began: float) -> None:
    with servers(built, TOKEN_CONTENDERS) as running:
        results = _raced(options, compare_tokens(options, built, running), running, console, began)
        with console.status("Timing single steps …"):
            found = uvloop.run(breakdown.token_breakdown(built, options.steps))
    report.show_rates(console, report.TOKEN_LINES, results, options)
    report.show_breakdown(console, "token", found, results)


def _page(options: Options, built: Environment, console: Console, began: float) -> None:
    with page_servers(options, built) as page:
        results = _raced(options, page.comparison, page.running, console, began)
        with console.status("Painting in Chromium …"):
            paints = measure_paints(page.running, page.paths)
    report.show_rates(console, report.PAGE_LINES, results, options)
    report.show_paints(console, paints)


def _lookup(options: Options, built: Environment, console: Console, began: float) -> None:
    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {sentence}[/]", highlight=False)

    report.show_lookups(console, measure_lookups(options, built, say))


def _ingest(options: Options, built: Environment, console: Console, began: float) -> None:
    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {sentence}[/]", highlight=False)

    report.show_ingest(console, measure_ingest(options, built, say))


def _codes(options: Options, console: Console, began: float) -> None:
    def say(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {sentence}[/]", highlight=False)

    report.show_sheets(console, measure_sheets(options, say))


def _raced(
    options: Options,
    comparison: Comparison,
    running: Mapping[str, Server],
    console: Console,
    began: float,
) -> dict[str, Result]:
    results = comparison.results()
    for done in measure(options, comparison, running, results):
        console.print(f"[dim]{time.monotonic() - began:5.0f} s  {done}[/]", highlight=False)
    return results


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
