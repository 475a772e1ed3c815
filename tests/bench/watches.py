"""Ingest of 10,000 rows while 100 clients watch the same 10,000 enterprises, and while nobody does.

Each batch changes a penalty of every enterprise whose publicity is over, so that no answer changes, but
of one enterprise it brings a new live one, which every client is told once.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clients.registry import put_agreement, register_client
from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.watches.follow import Follower
from gateway.creditfile.watches.lists import WatchList, put_list
from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.ingest import Source, ingest_rows
from gateway.ingest.merge_sql import STATEMENTS
from gateway.ingest.staging_table import RECORD_STAGING
from gateway.migrations.run import upgrade
from gateway.privacy.field_encryption import Vault, VaultKeys
from gateway.signing.keyed_digests import KeyedDigests
from gateway.synthetic.demo_clients import DEMO_CLIENTS, registration_of, terms_of
from gateway.synthetic.load import load
from gateway.synthetic.province import province
from tests.bench.environment import Environment
from xinqiao import generate_client_key, public_jwks

ROWS: Final = 10_000
WATCHERS: Final = 100
QUESTIONS: Final = ("is_active.v1", "no_live_penalty.v1", "not_abnormal.v1")
TODAY: Final = date(2026, 11, 22)
SOURCE: Final = Source(source_id="bench", name="数源单位（合成）")
DATASET: Final = "penalty"
_DATABASE: Final = "watches"
_COUNTS: Final = text("""
    SELECT count(*) AS told, count(DISTINCT client_id) AS clients FROM tombstone
    WHERE kind = 'answer_may_have_changed'""")


@dataclass(slots=True, kw_only=True)
class Watching:
    """Seconds, round by round."""

    alone: list[float] = field(default_factory=list)
    """A batch while nobody watches."""
    watched: list[float] = field(default_factory=list)
    note: list[float] = field(default_factory=list)
    """The one statement that notes the changed enterprises, of a watched batch."""
    told: list[float] = field(default_factory=list)
    """From a batch's commit until every client is told."""
    first_marks: float = 0.0
    """To read the answers of a million watches for the first time."""

    @property
    def cost(self) -> float:
        """A watched batch, of one that nobody watches."""
        return median(self.watched) / median(self.alone)

    @property
    def share(self) -> float:
        """Of a watched batch, what its note takes."""
        return median(self.note) / median(self.watched)


def measure_watches(rounds: int, environment: Environment, say: Callable[[str], None]) -> Watching:
    """Measure batches without watchers, with them, and without them again."""
    server = embedded.start(environment.database_folder)
    asyncio.run(embedded.ensure_database(server, _DATABASE, anew=True))
    upgrade(server.url(_DATABASE))
    return asyncio.run(_measure(server.url(_DATABASE), rounds, say))


async def _measure(url: str, rounds: int, say: Callable[[str], None]) -> Watching:
    engine, found = make_engine(url), Watching()
    try:
        bench = await _Bench.filled(engine)
        for _ in range(2):  # the first inserts, the second finds the caches warm
            await bench.deliver()
        found.alone += [await bench.deliver() for _ in range(rounds)]
        found.first_marks = await bench.watch()
        say(f"{WATCHERS} lists of {ROWS:,} read in {found.first_marks:,.0f} s")
        for number in range(rounds):
            elapsed, told = await bench.deliver_watched(number)
            found.watched.append(elapsed)
            found.told.append(told)
            found.note.append(await bench.time_note())
            say(f"a batch in {elapsed:.2f} s, all told in {told:.1f} s")
        await bench.forget()
        found.alone += [await bench.deliver() for _ in range(rounds)]
        say(f"without watchers a batch in {median(found.alone):.2f} s")
    finally:
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

    async def deliver(self, *more: dict[str, Any]) -> float:
        """Deliver a batch; seconds until its commit. What it notes is then followed."""
        began = time.perf_counter()
        await self._deliver(more)
        elapsed = time.perf_counter() - began
        await self.follow()
        return elapsed

    async def time_note(self) -> float:
        """Deliver a batch and note its enterprises once more; seconds of that."""
        note = await self._deliver((), notes_twice=True)
        await self.follow()
        return note

    async def deliver_watched(self, number: int) -> tuple[float, float]:
        """Deliver a batch with one live penalty: seconds of it, and until all clients are told."""
        before = await self._told()
        live = self._row(self.usccs[number], f"新{number}", decided=TODAY - timedelta(days=90))
        began = time.perf_counter()
        await self._deliver((live,))
        committed = time.perf_counter()
        while await self._told() - before < WATCHERS:
            await self.follower.round(datetime.now(UTC))
        told = time.perf_counter() - committed
        await self.follow()
        if await self._told() - before != WATCHERS:
            raise RuntimeError("each client is told once")
        return committed - began, told

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

    async def forget(self) -> None:
        """Nobody watches any more."""
        async with self.engine.begin() as connection:
            await connection.execute(text("TRUNCATE watch, watch_list"))

    async def _deliver(
        self, more: tuple[dict[str, Any], ...], *, notes_twice: bool = False
    ) -> float:
        """Commit a batch; seconds of a second note of it, if there is one."""
        self.delivered += 1
        rows = [self._row(each, "旧") for each in self.usccs[: ROWS - len(more)]]
        async with self.engine.begin() as connection:
            await ingest_rows(
                connection,
                SOURCE,
                DATASET,
                [*rows, *more],
                now=datetime.now(UTC),
                catalogue=self.follower.catalogue,
                vault=self.vault,
            )
            if not notes_twice:
                return 0.0
            began = time.perf_counter()
            await connection.execute(STATEMENTS[RECORD_STAGING.table, False].changed)
            return time.perf_counter() - began

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
