"""Ingest of 10,000 rows where 100 clients watch the same 10,000 enterprises, and where nobody does.

The same rows go to two databases by turns, and CPU time is compared: that of this process and of its
PostgreSQL session. So neither what else runs on the machine nor a table's growth is taken for the
watchers' cost. Each batch changes a penalty of every enterprise whose publicity is over, so that no answer
changes, but of one enterprise it brings a new live one, which every client is told once.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final

import psutil  # type: ignore[import-untyped]  # comes with the embedded PostgreSQL
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clients.registry import put_agreement, register_client
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.watches.follow import Follower
from gateway.creditfile.watches.lists import WatchList, put_list
from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.ingest import Source, ingest_rows
from gateway.ingest.merge.merge_sql import STATEMENTS
from gateway.ingest.merge.staging_table import RECORD_STAGING
from gateway.migrations.run import upgrade
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.signing.keyed_digests import KeyedDigests
from gateway.synthetic.demo.clients import DEMO_CLIENTS, registration_of, terms_of
from gateway.synthetic.generator.province import province
from gateway.synthetic.load import load
from tests.bench.environment import Environment
from xinqiao import generate_client_key, public_jwks

ROWS: Final = 10_000
WATCHERS: Final = 100
QUESTIONS: Final = ("is_active.v1", "no_live_penalty.v1", "not_abnormal.v1")
TODAY: Final = date(2026, 11, 22)
SOURCE: Final = Source(source_id="bench", name="数源单位（合成）")
DATASET: Final = "penalty"
_DATABASES: Final = ("unwatched", "watches")
_SESSION: Final = text("SELECT pg_backend_pid()")
_COUNTS: Final = text("""
    SELECT count(*) AS told, count(DISTINCT client_id) AS clients FROM tombstone
    WHERE kind = 'answer_may_have_changed'""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds of a batch by the clock, and of CPU of this process and its session of PostgreSQL."""

    clock: float
    cpu: float


@dataclass(slots=True, kw_only=True)
class Watching:
    """Times of batches, round by round."""

    alone: list[Spent] = field(default_factory=list)
    """A batch where nobody watches."""
    watched: list[Spent] = field(default_factory=list)
    note: list[float] = field(default_factory=list)
    """The one statement that notes the changed enterprises, of a watched batch."""
    told: list[float] = field(default_factory=list)
    """Seconds from a batch's commit until every client is told."""
    first_marks: float = 0.0
    """To read the answers of a million watches for the first time."""

    @property
    def cost(self) -> float:
        """The CPU of a watched batch, of the one beside it that nobody watches."""
        pairs = zip(self.watched, self.alone, strict=True)
        return median(watched.cpu / alone.cpu for watched, alone in pairs)

    @property
    def share(self) -> float:
        """Of a watched batch, what its note takes."""
        return median(self.note) / median(each.clock for each in self.watched)


def measure_watches(rounds: int, environment: Environment, say: Callable[[str], None]) -> Watching:
    """Measure batches without watchers and with them, by turns."""
    server = embedded.start(environment.database_folder)
    for name in _DATABASES:
        asyncio.run(embedded.ensure_database(server, name, anew=True))
        upgrade(server.url(name))
    return asyncio.run(_measure([server.url(name) for name in _DATABASES], rounds, say))


async def _measure(urls: Sequence[str], rounds: int, say: Callable[[str], None]) -> Watching:
    engines, found = [make_engine(url) for url in urls], Watching()
    try:
        plain, bench = [await _Bench.filled(engine) for engine in engines]
        for each in (plain, bench):
            for _ in range(2):  # the first inserts, the second finds the caches warm
                await each.deliver()
        found.first_marks = await bench.watch()
        say(f"{WATCHERS} lists of {ROWS:,} read in {found.first_marks:,.0f} s")
        for number in range(rounds):
            found.alone.append(await plain.deliver(plain.live(number)))
            spent, told = await bench.deliver_watched(number)
            found.watched.append(spent)
            found.told.append(told)
            found.note.append(await bench.time_note())
            await plain.time_note()  # so that both have had as many batches
            say(f"{spent.cpu:.2f} s of CPU, alone {found.alone[-1].cpu:.2f}; told in {told:.1f} s")
    finally:
        for engine in engines:
            await engine.dispose()
    return found


@dataclass(slots=True, kw_only=True)
class _Bench:
    """A database of `ROWS` enterprises, and deliveries to it."""

    engine: AsyncEngine
    usccs: list[str]
    follower: Follower
    vault: Vault
    delivered: int = 0

    @classmethod
    async def filled(cls, engine: AsyncEngine) -> "_Bench":
        catalogue, vault = load_catalogue(), Vault(VaultKeys.parse(Vault.generate_keys()))
        entities = province(1, ROWS, today=TODAY, catalogue=catalogue)
        await load(engine, entities, vault=vault, catalogue=catalogue)
        async with engine.begin() as connection:
            await connection.execute(text("ANALYZE"))
            found = await connection.execute(text("SELECT uscc FROM enterprise ORDER BY uscc"))
            usccs = list(found.scalars())
        digests = KeyedDigests(secrets.token_hex(32))
        return cls(
            engine=engine,
            usccs=usccs,
            follower=Follower(engine=engine, catalogue=catalogue, digests=digests),
            vault=vault,
        )

    async def deliver(self, *more: dict[str, Any]) -> Spent:
        """Deliver a batch; what it took until its commit. What it notes is then followed."""
        spent, _ = await self._deliver(more)
        await self.follow()
        return spent

    def live(self, number: int) -> dict[str, Any]:
        """A live penalty, which changes an answer."""
        return self._row(self.usccs[number], f"新{number}", decided=TODAY - timedelta(days=90))

    async def time_note(self) -> float:
        """Deliver a batch and note its enterprises once more; seconds of that."""
        _, note = await self._deliver((), notes_twice=True)
        await self.follow()
        return note

    async def deliver_watched(self, number: int) -> tuple[Spent, float]:
        """Deliver a batch with one live penalty: what it took, and seconds until all clients are told."""
        before = await self._told()
        spent, _ = await self._deliver((self.live(number),))
        committed = time.perf_counter()
        while await self._told() - before < WATCHERS:
            await self.follower.round(datetime.now(UTC))
        told = time.perf_counter() - committed
        await self.follow()
        if await self._told() - before != WATCHERS:
            raise RuntimeError("each client is told once")
        return spent, told

    async def watch(self) -> float:
        """Register the clients, put their lists and read the answers for the first time; seconds of it."""
        role, now = next(each for each in DEMO_CLIENTS if each.key == "bank"), datetime.now(UTC)
        keys = public_jwks(generate_client_key())
        for number in range(WATCHERS):
            registration = replace(registration_of(role, keys, []), client_id=f"watcher-{number}")
            wanted = WatchList(
                client_id=registration.client_id,
                name="nightly",
                purpose="loan_approval",
                questions=QUESTIONS,
                enterprises=ROWS,
                created_at=now,
                replaced_at=now,
            )
            async with self.engine.begin() as connection:
                await register_client(connection, registration, now=now)
                await put_agreement(connection, registration.client_id, terms_of(role, now))
                await put_list(
                    connection,
                    wanted,
                    self.usccs,
                    catalogue_version=self.follower.catalogue.version,
                )
        began = time.perf_counter()
        await self.follow()
        async with self.engine.begin() as connection:
            await connection.execute(text("ANALYZE watch"))
        return time.perf_counter() - began

    async def follow(self) -> None:
        """Do all that is due."""
        while (done := await self.follower.round(datetime.now(UTC))) and done.has_more:
            pass

    async def _deliver(
        self, more: tuple[dict[str, Any], ...], *, notes_twice: bool = False
    ) -> tuple[Spent, float]:
        """Commit a batch; what it took, and seconds of a second note of it, if there is one."""
        self.delivered += 1
        rows = [self._row(each, "旧") for each in self.usccs[: ROWS - len(more)]]
        note = 0.0
        async with self.engine.connect() as connection:
            pid = (await connection.execute(_SESSION)).scalar_one()
            session, cpu, clock = psutil.Process(pid), time.process_time(), time.perf_counter()
            before = session.cpu_times()
            await ingest_rows(
                connection,
                SOURCE,
                DATASET,
                [*rows, *more],
                now=datetime.now(UTC),
                catalogue=self.follower.catalogue,
                vault=self.vault,
            )
            if notes_twice:
                began = time.perf_counter()
                await connection.execute(STATEMENTS[RECORD_STAGING.table, False].changed)
                note = time.perf_counter() - began
            await connection.commit()
            after = session.cpu_times()
            spent = (
                time.process_time() - cpu + after.user + after.system - before.user - before.system
            )
            return Spent(clock=time.perf_counter() - clock, cpu=spent), note

    async def _told(self) -> int:
        async with self.engine.connect() as connection:
            row = (await connection.execute(_COUNTS)).one()
        return int(row.told)

    def _row(self, uscc: str, name: str, *, decided: date = date(2015, 1, 5)) -> dict[str, Any]:
        return {
            "uscc": uscc,
            "document_number": f"浙市监罚〔{decided.year}〕{name}号",
            "kinds": ["罚款"],
            "facts": f"未按规定明码标价（第{self.delivered}次报送）。",
            "fine": "12",
            "decided_on": decided.isoformat(),
            "appeal_state": "none",
        }
