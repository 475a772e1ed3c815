"""The goals of each part, and their outcomes from what was measured."""

from collections.abc import Mapping
from statistics import median
from typing import Final

from tests.bench.batches import Batches
from tests.bench.disclosures import Disclosures
from tests.bench.endurance import Endurance
from tests.bench.goals import Outcomes, at_least, at_most, quoted
from tests.bench.ingest import COPY, FIRST, WHOLE, Loads
from tests.bench.latency import Latencies
from tests.bench.lookups import Lookups
from tests.bench.measure import Result
from tests.bench.options import (
    BARE,
    BASELINE,
    COLD,
    GATEWAY,
    PEER,
    STORED_PEER,
    TELLING_BASELINE,
    WARM,
)
from tests.bench.page_paint import Paints, paint_ratio
from tests.bench.sheets import SHEETS, SYMBOLS, Drawings
from tests.bench.timing import PAIRS, SEEN, Timings
from tests.bench.watches import Watching
from tests.welch import SURE

Results = Mapping[str, Result]

VERIFICATION: Final = at_least("verifications a second, of the floor", 0.60, aim=0.80)
BATCH: Final = at_least("lines a second, of single calls by the same worker", 3.0, aim=5.0)
BATCH_CPU: Final = at_least(
    "CPU of a single call, of a line's: worker, PostgreSQL, Redis", 3.0, aim=5.0
)
BATCH_JOIN: Final = at_least("lines a second, of enterprises by a bare join", 0.08, aim=0.20)
WATCHED: Final = at_most("CPU of a batch that 100 clients watch, of one that nobody watches", 1.10)
NOTED: Final = at_most("the statement that notes what changed, of a batch's time", 0.10)
TOLD: Final = at_most("seconds from its commit until all 100 are told, at most", 60)
ONE_CONNECTION: Final = quoted("p50 over one connection, ms")
ITS_FLOOR: Final = quoted("… the floor's, ms")
TAIL: Final = at_most("p99 at 70 % of its peak rate, of the floor's at 70 % of its own", 2.0)
QUERY: Final = at_least("authorised queries of 20 records a second, of the floor", 0.60)
TELLING_QUERY: Final = quoted("… of the floor that tells 20 records too")
TOKEN: Final = at_least("tokens a second, of node-oidc-provider in memory", 1.0)
STORED_TOKEN: Final = at_least("tokens a second, of node-oidc-provider in PostgreSQL", 2.0)
WARM_PAGE: Final = at_least("warm pages a second, of their bytes bare", 0.5)
COLD_PAGE: Final = at_least("cold pages a second, of their bytes bare", 0.2)
PAINT: Final = at_most("largest paint, of a static page of the same bytes", 1.5)
DRAWING: Final = at_least("stickers per CPU second, of bare qrcode", 0.8)
MEMORY: Final = at_most("the worker's memory at the end, of that after the first minute", 1.05)
DISCLOSED: Final = at_least("told and logged disclosures a second", 700, aim=1_000)
LAG: Final = at_most("log lag at most, s", 2.0)
GENERATOR: Final = quoted("the load generator's CPU, of one core")
LOOKUP: Final = 1.3
INGEST: Final = 0.45
LEAST_PROVINCE: Final = 100_000  # in a smaller one the start of the readers weighs


def of_batches(found: Batches) -> Outcomes:
    """Lines beside single calls and the join, and where the time goes."""
    cpu = {
        name: median(getattr(each, name) for each in found.batch_cpu)
        for name in ("worker", "postgres", "redis")
    }
    return (
        BATCH.seen(found.of_single),
        BATCH_CPU.seen(found.cpu_of_single),
        BATCH_JOIN.seen(found.of_join),
        quoted("lines a second").seen(median(found.batch)),
        *(quoted(f"CPU a line, µs: {name}").seen(each * 1e6) for name, each in cpu.items()),
        quoted("the worker's growth, MiB").seen(found.growth / 2**20),
    )


def of_timing(found: Mapping[str, Timings]) -> Outcomes:
    """Welch's t of each pair, and answers that differ in length, which must be none."""
    return tuple(
        outcome
        for way, each in found.items()
        for outcome in (
            *(
                at_most(f"|t|, {way}: {title}", SURE).seen(abs(each.t(pair)))
                for title, pair in PAIRS.items()
            ),
            at_least(f"t, {way}: control, with and without a consent of its own", SURE).seen(
                each.t(SEEN)
            ),
            at_most(f"pairs {way} with answers of several lengths", 0).seen(
                sum(not each.of_one_length(pair) for pair in PAIRS.values())
            ),
        )
    )


def of_watches(found: Watching) -> Outcomes:
    """Goals of watching: its cost to ingest, and the time until all are told."""
    return (
        NOTED.seen(found.share),
        WATCHED.seen(found.cost),
        TOLD.seen(max(found.told)),
        quoted("seconds of a batch of 10,000 rows").seen(
            median(each.clock for each in found.alone)
        ),
        quoted("seconds to read a million answers for the first time").seen(found.first_marks),
    )


def of_verifications(results: Results, latencies: Mapping[str, Latencies]) -> Outcomes:
    """Rate and latency beside the floor."""
    gateway, floor = latencies[GATEWAY], latencies[BASELINE]
    return (
        VERIFICATION.seen(results[GATEWAY].ratio_to(results[BASELINE])),
        ONE_CONNECTION.seen(gateway.p50_alone * 1e3),
        ITS_FLOOR.seen(floor.p50_alone * 1e3),
        TAIL.seen(gateway.p99_paced / floor.p99_paced),
    )


def of_queries(results: Results) -> Outcomes:
    """Rate beside the floor."""
    gateway = results[GATEWAY]
    return (
        QUERY.seen(gateway.ratio_to(results[BASELINE])),
        TELLING_QUERY.seen(gateway.ratio_to(results[TELLING_BASELINE])),
    )


def of_tokens(results: Results) -> Outcomes:
    """Rate beside the foreign server, with both of its stores."""
    gateway = results[GATEWAY]
    return (
        TOKEN.seen(gateway.ratio_to(results[PEER])),
        STORED_TOKEN.seen(gateway.ratio_to(results[STORED_PEER])),
    )


def of_pages(results: Results, paints: Paints) -> Outcomes:
    """Rates beside the bare bytes, and what a phone sees."""
    return (
        WARM_PAGE.seen(results[WARM].ratio_to(results[BARE])),
        COLD_PAGE.seen(results[COLD].ratio_to(results[BARE])),
        PAINT.seen(paint_ratio(paints)),
    )


def of_lookups(found: Lookups) -> Outcomes:
    """The medians of the large database to those of the small one."""
    small, large = (each.entities for each in found.databases)
    return tuple(
        at_most(f"{path}: {large:,} enterprises, of {small:,}", LOOKUP).seen(found.ratio(path))
        for path in found.timings
    )


def of_ingest(found: Loads, province: int) -> Outcomes:
    """Rows a second of a first load beside COPY; a small province has no verdict."""
    what = f"first load of {province:,} enterprises, rows a second, of bare COPY"
    goal = (
        at_least(what, INGEST)
        if province >= LEAST_PROVINCE
        else quoted(f"{what} (mostly start-up: too few for a verdict)")
    )
    goals = {WHOLE: goal} | {
        content: quoted(f"… {content}") for content in found if content != WHOLE
    }
    return tuple(
        each.seen(found[content][FIRST].share_of(found[content][COPY]))
        for content, each in goals.items()
    )


def of_drawings(found: Drawings) -> Outcomes:
    """Stickers by CPU time beside the bare symbols."""
    return (DRAWING.seen(found[SHEETS].per_core(found[SYMBOLS])),)


def of_endurance(found: Endurance) -> Outcomes:
    """Growth of the worker's memory."""
    return (
        MEMORY.seen(found.growth),
        quoted("… after the first minute, MiB").seen(found.first / 2**20),
        quoted("… at the end, MiB").seen(found.last / 2**20),
        quoted("verifications").seen(found.calls),
    )


def of_disclosures(found: Disclosures) -> Outcomes:
    """Rate and log lag of several workers together."""
    return (
        DISCLOSED.seen(found.per_second),
        LAG.seen(found.lag),
        GENERATOR.seen(found.generator),
    )
