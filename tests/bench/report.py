"""One table of rates beside the floor and the echo, and one of where the worker's time goes."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.breakdown import Breakdown
from tests.bench.intake import COPY, Load, Loads
from tests.bench.lookups import Lookups, Timings
from tests.bench.plan import ECHO, FLOOR, GATEWAY, PEER, Plan
from tests.bench.rounds import Score

Scores = Mapping[str, Score]
Lines = Mapping[str, Callable[[Score, Scores], str]]
RATES: Final[Lines] = {
    "per second, median": lambda run, _: f"{median(run.rates):,.0f}",
    "    least and most": lambda run, _: f"{min(run.rates):,.0f}-{max(run.rates):,.0f}",
}
COSTS: Final[Lines] = {
    "p50, ms": lambda run, _: f"{run.percentile(50) * 1e3:.1f}",
    "p99, ms": lambda run, _: f"{run.percentile(99) * 1e3:.1f}",
    "CPU µs per call: worker": lambda run, _: _micros(run.cpu("worker")),
    "    PostgreSQL": lambda run, _: _micros(run.cpu("postgres")),
    "    Redis": lambda run, _: _micros(run.cpu("redis")),
    "worker's memory, MiB": lambda run, _: f"{run.resident / 2**20:.0f}",
}
VERIFYING: Final[Lines] = {
    **RATES,
    "of the floor": lambda run, all_: f"{run.ratio_to(all_[FLOOR]):.2f}",
    "of the echo": lambda run, all_: f"{run.ratio_to(all_[ECHO]):.3f}",
    **COSTS,
}
ISSUING: Final[Lines] = {
    **RATES,
    "of the foreign server": lambda run, all_: f"{run.ratio_to(all_[PEER]):.2f}",
    **COSTS,
}


LOOKUPS: Final[Mapping[str, Callable[[Timings], float]]] = {
    "p50": lambda run: median(run.every),
    "p50, asked about before": lambda run: median(run.again),
    "p50, for the first time": lambda run: median(run.first),
    "p99": lambda run: run.percentile(99),
}


def show_rates(console: Console, lines: Lines, scores: Scores, plan: Plan) -> None:
    """Rates, ratios, latencies, CPU and memory."""
    calls = sum(score.calls for score in scores.values())
    table = Table(
        title=f"{plan.connections} connections, {plan.rounds} rounds of {plan.seconds:g} s; "
        f"{calls:,} calls, each answered 200",
    )
    table.add_column("")
    for score in scores.values():
        table.add_column(score.contender.title, justify="right")
    for title, line in lines.items():
        table.add_row(title, *(line(score, scores) for score in scores.values()))
    console.print(table)


def show_breakdown(console: Console, what: str, found: Breakdown, scores: Scores) -> None:
    """The worker's CPU for one call by itself, step by step; under load, turns are shared."""
    between = found.whole - sum(found.gateway.values())
    table = Table(title=f"Where the worker's CPU goes, for one {what} by itself")
    table.add_column("step")
    for heading in ("CPU µs", "share", *(["floor's CPU µs"] if found.floor else [])):
        table.add_column(heading, justify="right")
    for name, cost in {**found.gateway, "the rest: FastAPI, envelope, …": between}.items():
        least = [f"{found.floor[name]:,.0f}"] if name in found.floor else []
        table.add_row(name, f"{cost:,.0f}", f"{cost / found.whole:.0%}", *least)
    table.add_section()
    table.add_row("all, without the server around it", f"{found.whole:,.0f}", "100%")
    served = [_micros(scores[name].cpu("worker")) for name in (GATEWAY, FLOOR) if name in scores]
    table.add_row("under load, with the server", served[0], "", *served[1:])
    console.print(table)


def show_lookups(console: Console, found: Lookups) -> None:
    """The medians of both databases, and their ratio: at most 1.3 is asked for."""
    calls = len(next(iter(found.sides[0].drawn.values())))
    table = Table(title=f"Look-ups by USCC: {calls:,} of each sort in each database, in turn")
    table.add_column("")
    for side in found.sides:
        table.add_column(
            f"{side.entities:,} enterprises\n{side.records:,} records\n{side.size / 1e9:.2f} GB",
            justify="right",
        )
    table.add_column("ratio", justify="right")
    for path, (small, large) in found.timings.items():
        for title, of in LOOKUPS.items():
            ratio = of(large) / of(small)
            table.add_row(
                f"{path}: {title}, ms",
                f"{of(small) * 1e3:.3f}",
                f"{of(large) * 1e3:.3f}",
                f"[bold]{ratio:.2f}[/]" if title == "p50" else f"{ratio:.2f}",
            )
    console.print(table)


def show_loads(console: Console, found: Loads) -> None:
    """Rows per second beside a bare COPY (0.40 and 0.20 are asked for), and where the CPU goes."""
    for what, loads in found.items():
        rounds = len(loads[COPY].rounds)
        table = Table(title=f"{what}: {loads[COPY].rows:,} rows, {rounds} rounds")
        for heading in ("", *loads):
            table.add_column(heading, justify="right" if heading else "left")
        lines: dict[str, Callable[[Load], str]] = {
            "rows per second, median": lambda run: f"{run.rate:,.0f}",
            "of the bare COPY": lambda run, base=loads[COPY]: f"[bold]{run.share_of(base):.2f}[/]",  # type: ignore[misc]
            "CPU µs per row: readers": lambda run: _per_row(run, "readers"),
            "    this process": lambda run: _per_row(run, "own"),
            "    PostgreSQL": lambda run: _per_row(run, "postgres"),
            "reader's memory, MiB": lambda run: f"{run.memory / 2**20:.0f}",
        }
        for title, line in lines.items():
            table.add_row(title, *(line(of) for of in loads.values()))
        console.print(table)


def _per_row(load: Load, part: str) -> str:
    return _micros(median(getattr(each, part) for each in load.rounds) / load.rows)


def _micros(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}"
