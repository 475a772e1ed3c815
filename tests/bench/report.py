"""Report tables: rates, latencies, CPU by step, look-ups, ingest, drawing; and goals with verdicts."""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from tests.bench.breakdown import Breakdown
from tests.bench.goals import Outcomes, Verdict
from tests.bench.ingest import COPY, Load, Loads
from tests.bench.latency import Latencies
from tests.bench.lookups import Lookups, Timings
from tests.bench.measure import Result
from tests.bench.options import (
    BARE,
    BASELINE,
    ECHO,
    GATEWAY,
    PEER,
    STATIC,
    STORED_PEER,
    TELLING_BASELINE,
    WARM,
    Options,
)
from tests.bench.page_paint import Paints, paint_ratio
from tests.bench.sheets import CORES, SYMBOLS, Drawing, Drawings

Results = Mapping[str, Result]
Lines = Mapping[str, Callable[[Result, Results], str]]
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
QUERY_LINES: Final[Lines] = {
    **RATES,
    "of the baseline": lambda run, all_: f"{run.ratio_to(all_[BASELINE]):.2f}",
    "of it with 20 records": lambda run, all_: f"{run.ratio_to(all_[TELLING_BASELINE]):.2f}",
    **COSTS,
}
VERIFICATION_LINES: Final[Lines] = {
    **RATES,
    "of the baseline": lambda run, all_: f"{run.ratio_to(all_[BASELINE]):.2f}",
    "of the echo": lambda run, all_: f"{run.ratio_to(all_[ECHO]):.3f}",
    **COSTS,
}
TOKEN_LINES: Final[Lines] = {
    **RATES,
    "of the foreign server": lambda run, all_: f"{run.ratio_to(all_[PEER]):.2f}",
    "of it with PostgreSQL": lambda run, all_: f"{run.ratio_to(all_[STORED_PEER]):.2f}",
    **COSTS,
}
PAGE_LINES: Final[Lines] = {
    **RATES,
    "of the bare bytes": lambda run, all_: f"{run.ratio_to(all_[BARE]):.2f}",
    "of FastAPI alone": lambda run, all_: f"{run.ratio_to(all_[STATIC]):.2f}",
    **COSTS,
}

STYLES: Final = {Verdict.MET: "green", Verdict.MISSED: "bold red", Verdict.QUOTED: "dim"}
LOOKUPS: Final[Mapping[str, Callable[[Timings], float]]] = {
    "p50": lambda run: median(run.every),
    "p50, asked about before": lambda run: median(run.again),
    "p50, for the first time": lambda run: median(run.first),
    "p99": lambda run: run.percentile(99),
}


def show_rates(console: Console, lines: Lines, results: Results, options: Options) -> None:
    """Print rates, ratios, latencies, CPU and memory."""
    calls = sum(result.calls for result in results.values())
    table = Table(
        title=f"{options.connections} connections, {options.rounds} rounds of {options.seconds:g} s; "
        f"{calls:,} calls, each answered 200",
    )
    table.add_column("")
    for result in results.values():
        table.add_column(result.contender.title, justify="right")
    for title, line in lines.items():
        table.add_row(title, *(line(result, results) for result in results.values()))
    console.print(table)


def show_goals(
    console: Console,
    part: str,
    outcomes: Outcomes,
    loads: tuple[tuple[float, ...], tuple[float, ...]],
) -> None:
    """Print what was seen beside its goal, with the machine's load (one minute) before and after."""
    before, after = loads
    table = Table(title=f"{part}: goals; load {before[0]:.2f} before, {after[0]:.2f} after")
    for heading in ("what", "seen", "goal", "verdict"):
        table.add_column(heading, justify="right" if heading == "seen" else "left")
    for each in outcomes:
        table.add_row(
            each.goal.what, each.text, each.goal.text, f"[{STYLES[each.verdict]}]{each.verdict}[/]"
        )
    console.print(table)


def show_latencies(console: Console, found: Mapping[str, Latencies]) -> None:
    """Print the latencies over one connection and at a fixed rate."""
    for each in found.values():
        console.print(
            f"{each.contender.title}: one connection, p50 {each.p50_alone * 1e3:.2f} ms; "
            f"at {each.rate:,.0f}/s, p50 {median(each.paced) * 1e3:.2f}, "
            f"p99 {each.p99_paced * 1e3:.2f} ms",
            highlight=False,
        )


def show_paints(console: Console, paints: Paints) -> None:
    """Print the largest paints on a slow phone, and their ratio, which should be at most 1.5."""
    console.print(
        f"Largest paint, ms: page {median(paints[WARM]):,.0f}, static page of the same bytes "
        f"{median(paints[BARE]):,.0f}; ratio [bold]{paint_ratio(paints):.2f}[/]",
        highlight=False,
    )


def show_breakdown(console: Console, what: str, found: Breakdown, results: Results) -> None:
    """Print the worker's CPU by step for one call alone."""
    between = found.whole - sum(found.gateway.values())
    table = Table(title=f"Where the worker's CPU goes, for one {what} by itself")
    table.add_column("step")
    for heading in ("CPU µs", "share", *(["baseline's CPU µs"] if found.baseline else [])):
        table.add_column(heading, justify="right")
    for name, cost in {**found.gateway, "the rest: FastAPI, envelope, …": between}.items():
        least = [f"{found.baseline[name]:,.0f}"] if name in found.baseline else []
        table.add_row(name, f"{cost:,.0f}", f"{cost / found.whole:.0%}", *least)
    table.add_section()
    table.add_row("all, without the server around it", f"{found.whole:,.0f}", "100%")
    served = [
        _micros(results[name].cpu("worker")) for name in (GATEWAY, BASELINE) if name in results
    ]
    table.add_row("under load, with the server", served[0], "", *served[1:])
    console.print(table)


def show_lookups(console: Console, found: Lookups) -> None:
    """Print the medians of both databases and their ratio, which should be at most 1.3."""
    calls = len(next(iter(found.databases[0].drawn.values())))
    table = Table(title=f"Look-ups by USCC: {calls:,} of each sort in each database, in turn")
    table.add_column("")
    for database in found.databases:
        table.add_column(
            f"{database.entities:,} enterprises\n{database.records:,} records\n{database.size / 1e9:.2f} GB",
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


def show_ingest(console: Console, found: Loads) -> None:
    """Print rows per second against a bare COPY (target 0.40 and 0.20), and CPU by process."""
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


def show_sheets(console: Console, found: Drawings) -> None:
    """Print stickers per second against bare `qrcode` (target 0.80 per core), and the cores in use."""
    bare = found[SYMBOLS]
    table = Table(title=f"Bulk drawing: {bare.stickers:,} stickers, {len(bare.clock)} rounds")
    for heading in ("", *found):
        table.add_column(heading, justify="right" if heading else "left")
    lines: dict[str, Callable[[Drawing], str]] = {
        "per second, median": lambda run: f"{run.rate:,.0f}",
        "of bare qrcode, per core": lambda run: f"[bold]{run.per_core(bare):.2f}[/]",
        "of bare qrcode, elapsed": lambda run: f"{run.share_of(bare):.2f}",
        "CPU µs per sticker": lambda run: _micros(median(run.cpu) / run.stickers),
        f"cores in use, of {CORES}": lambda run: f"{run.busy:.2f}",
    }
    for title, line in lines.items():
        table.add_row(title, *(line(each) for each in found.values()))
    console.print(table)


def _per_row(load: Load, part: str) -> str:
    return _micros(median(getattr(each, part) for each in load.rounds) / load.rows)


def _micros(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f}"
