"""A look-up costs the same in a small database and in a large one: both asked in turn, in one run.

The same pattern on both: every other call is about one of a few enterprises that are asked about
over and over, the others are about enterprises that nobody has asked about before.
"""

import asyncio
import http.client
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from statistics import median, quantiles
from typing import Final, TypeVar

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from gateway.answers.ask import Ask
from gateway.answers.reading import READ
from gateway.codes.store import issue
from gateway.codes.tables import CodeLocatorRow, CodeRow
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.vault import Vault, VaultKeys
from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.db.hot import HotDatabase
from gateway.migrations.run import upgrade
from gateway.synthetic.load import load
from gateway.synthetic.province import province
from tests.bench.plan import GATEWAY, HOST, PURPOSE, Contender, Plan, free_port
from tests.bench.servers import servers
from tests.bench.stage import Stage
from verification import Asked, question

T = TypeVar("T")
EXISTING: Final = "XINQIAO_BENCH_DATABASE_URL"
SMALL: Final = 10_000
HOT: Final = 40
TODAY: Final = date(2026, 11, 23)
SEED: Final = 20261123
_SPARE: Final = 20  # how many times what is needed the sample of pages holds
_TAGS: Final = (
    "enterprise_name.v1",
    "is_active.v1",
    "legal_representative_name.v1",
    "rating_at_least.v1",
    "not_on_serious_violation_list.v1",
)
_QUESTIONS: Final = tuple(found for tag in _TAGS if (found := question(tag)) is not None)
_PAGE: Final = Contender(name="page", title="public page", server=GATEWAY, path="/E/")


@dataclass(slots=True, kw_only=True)
class Timings:
    """Seconds of each call, by whether the enterprise had been asked about before."""

    again: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)

    @property
    def every(self) -> list[float]:
        """All of them."""
        return self.again + self.first

    def percentile(self, of_hundred: int) -> float:
        """A percentile over all calls."""
        return quantiles(self.every, n=100)[of_hundred - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One database: its enterprises, and the draws from it."""

    url: str
    entities: int
    records: int
    size: int
    """Bytes of the database."""
    drawn: Sequence[tuple[str, str]]
    """USCC and code id of each call, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What was measured: by the path, the timings in the small and in the large database."""

    sides: tuple[Side, Side]
    timings: dict[str, tuple[Timings, Timings]]

    def ratio(self, path: str) -> float:
        """The large database's median to the small one's."""
        small, large = self.timings[path]
        return median(large.every) / median(small.every)


def looked_up(plan: Plan, stage: Stage, say: Callable[[str], None]) -> Lookups:
    """Fill both databases, then ask them in turn."""
    with ExitStack() as stack:
        small, large = (stack.enter_context(side) for side in _sides(plan, stage, say))
        timings = {"read statement": asyncio.run(_statements(small, large))}
        say("read statements done")
        gateways = tuple(stack.enter_context(_served(stage, side)) for side in (small, large))
        timings["public page"] = _pages((small, large), gateways)
        return Lookups(sides=(small, large), timings=timings)


def _sides(
    plan: Plan, stage: Stage, say: Callable[[str], None]
) -> Iterator[AbstractContextManager[Side]]:
    """The small database and the large one, which may be there already."""
    yield _side(_filled(stage, "lookup_small", SMALL, say), plan.lookups)
    existing = os.environ.get(EXISTING)
    yield _side(existing or _filled(stage, "lookup_large", plan.scale, say), plan.lookups)


def _filled(stage: Stage, name: str, entities: int, say: Callable[[str], None]) -> str:
    began = time.monotonic()
    server = embedded.start(stage.database_folder)
    asyncio.run(embedded.ensure_database(server, name, anew=True))
    url = server.url(name)
    upgrade(url)
    asyncio.run(_load(url, entities))
    say(f"{entities:,} enterprises loaded in {time.monotonic() - began:,.0f} s")
    return url


async def _load(url: str, entities: int) -> None:
    catalogue = load_catalogue()
    engine = make_engine(url)
    await load(
        engine,
        province(1, entities, today=TODAY, catalogue=catalogue),
        vault=Vault(VaultKeys.parse(Vault.generate_keys())),
        catalogue=catalogue,
    )
    await engine.dispose()


@contextmanager
def _side(url: str, lookups: int) -> Iterator[Side]:
    """Issue the codes that are asked for, and take them away again."""
    side = asyncio.run(_with_engine(url, lambda engine: _prepared(engine, url, lookups)))
    try:
        yield side
    finally:
        ids = [code_id for _, code_id in side.drawn]
        asyncio.run(_with_engine(url, lambda engine: _cleared(engine, ids)))


async def _with_engine(url: str, use: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    engine = make_engine(url)
    try:
        return await use(engine)
    finally:
        await engine.dispose()


async def _prepared(engine: AsyncEngine, url: str, lookups: int) -> Side:
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE enterprise, record"))
        entities, records = await _counts(connection)
        found = await _sample(connection, lookups // 2 + HOT, entities)
        codes = [
            (uscc, (await issue(connection, uscc, name, now=datetime.now(UTC))).code_id)
            for uscc, name in found
        ]
        size = (
            await connection.execute(text("SELECT pg_database_size(current_database())"))
        ).scalar_one()
    hot, cold = codes[:HOT], codes[HOT:]
    chance = random.Random(SEED)  # noqa: S311  # the same draws in each run
    drawn = [each for one in cold for each in (one, chance.choice(hot))]
    return Side(url=url, entities=entities, records=records, size=size, drawn=tuple(drawn))


async def _counts(connection: AsyncConnection) -> tuple[int, int]:
    estimated = text(
        "SELECT (SELECT reltuples FROM pg_class WHERE oid = 'enterprise'::regclass)::bigint,"
        " (SELECT reltuples FROM pg_class WHERE oid = 'record'::regclass)::bigint"
    )
    row = (await connection.execute(estimated)).one()
    return row[0], row[1]


async def _sample(
    connection: AsyncConnection, count: int, entities: int
) -> Sequence[tuple[str, str]]:
    """Enterprises from pages all over the table, in an order that has nothing to do with it."""
    percent = min(100.0, 100 * _SPARE * count / max(entities, 1))
    pages = text("SELECT uscc, name FROM enterprise TABLESAMPLE SYSTEM (:percent) REPEATABLE (1)")
    rows = (await connection.execute(pages, {"percent": percent})).all()
    found = sorted((row.uscc, row.name) for row in rows)
    if len(found) < count:
        raise SystemExit(f"{count:,} enterprises are needed for so many look-ups: ask for fewer.")
    return random.Random(SEED).sample(found, count)  # noqa: S311


async def _cleared(engine: AsyncEngine, ids: Sequence[str]) -> None:
    async with engine.begin() as connection:
        for table in (CodeLocatorRow, CodeRow):
            await connection.execute(delete(table).where(col(table.code_id).in_(set(ids))))


async def _statements(small: Side, large: Side) -> tuple[Timings, Timings]:
    """The one read statement of a verification, prepared, on a connection of its own."""
    timings = Timings(), Timings()
    databases = [await HotDatabase.open(side.url, size=1) for side in (small, large)]
    for turn in range(len(small.drawn)):
        for database, side, timing in zip(databases, (small, large), timings, strict=True):
            values = _values(side.drawn[turn][0])
            began = time.perf_counter()
            await database.row(READ, values)
            (timing.again if turn % 2 else timing.first).append(time.perf_counter() - began)
    for database in databases:
        await database.close()
    return timings


def _values(uscc: str) -> dict[str, object]:
    ask = Ask(
        uscc=uscc,
        purpose=PURPOSE,
        asked=tuple(Asked(tag=tag, value=None) for tag in _TAGS),
        questions=_QUESTIONS,
    )
    return {
        "client_id": "bench",
        "jti": "bench",
        "uscc": uscc,
        "purpose": PURPOSE,
        "consent_id": None,
        "key": None,
        "datasets": list(ask.datasets),
        "open_datasets": list(ask.datasets),
        "under_consent": [],
        "now": datetime.now(UTC),
        "questions": list(_TAGS),
    }


@contextmanager
def _served(stage: Stage, side: Side) -> Iterator[int]:
    """A gateway of its own over this database; gives its port."""
    port = free_port()
    settings = stage.settings.model_copy(
        update={"database_url": side.url, "issuer": f"http://{HOST}:{port}"}
    )
    with servers(replace(stage, settings=settings, port=port), (_PAGE,)):
        yield port


def _pages(sides: tuple[Side, Side], ports: Sequence[int]) -> tuple[Timings, Timings]:
    """The page behind a code, one connection to each gateway."""
    timings = Timings(), Timings()
    lines = [http.client.HTTPConnection(HOST, port, timeout=30) for port in ports]
    for turn in range(len(sides[0].drawn)):
        for line, side, timing in zip(lines, sides, timings, strict=True):
            began = time.perf_counter()
            line.request("GET", f"/E/{side.drawn[turn][1]}", headers={"Accept": "text/html"})
            answer = line.getresponse()
            answer.read()
            spent = time.perf_counter() - began
            if answer.status != http.client.OK:
                raise RuntimeError(f"The page was answered {answer.status}.")
            (timing.again if turn % 2 else timing.first).append(spent)
    for line in lines:
        line.close()
    return timings
