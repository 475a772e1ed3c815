"""A file of a department beside a bare COPY of the same rows into the same table, in one run.

Each round empties the table and fills it anew, once by an ingest and once by COPY, both with all
indexes and each commit on the disk; then an ingest of the same file, a tenth of it changed, follows.
"""

import asyncio
import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg
import orjson
import psutil  # type: ignore[import-untyped]  # comes with the embedded PostgreSQL
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.intake.ingesting import Order, Watcher, ingest
from gateway.creditfile.intake.jobs import DONE, Job, digest_of_file
from gateway.creditfile.intake.staging import target_of
from gateway.creditfile.intake.verdicts import Source
from gateway.creditfile.records import Enterprise
from gateway.creditfile.vault import Vault
from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.migrations.run import upgrade
from gateway.synthetic.province import province
from tests.bench.plan import Plan
from tests.bench.stage import Stage

TODAY: Final = date(2026, 11, 22)
DATASETS: Final = ("licence", "registration")
FIRST: Final = "first load"
COPY: Final = "bare COPY"
UPDATE: Final = "update load, a tenth changed"
CHANGED_EVERY: Final = 10
_DATABASE: Final = "intake"
_FIELDS: Final = (
    "name",
    "kind",
    "entity_type",
    "status",
    "legal_representative",
    "currency",
    "registering_authority",
    "division",
    "industry",
    "scope",
    "address",
)
_DATES: Final = ("established_on", "approved_on", "term_from")


@dataclass(slots=True, kw_only=True)
class Load:
    """What one sort of load took, by round; seconds, and the reader's peak in bytes."""

    rows: int
    seconds: list[float] = field(default_factory=list)
    reader: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)
    memory: int = 0

    @property
    def rate(self) -> float:
        """Rows per second, the median of the rounds."""
        return self.rows / median(self.seconds)

    def share_of(self, other: "Load") -> float:
        """The median of the rounds' own ratios of rows per second."""
        return median(its / own for own, its in zip(self.seconds, other.seconds, strict=True))


Loads = Mapping[str, Mapping[str, Load]]
"""By dataset, then by the sort of load."""


def loaded(plan: Plan, stage: Stage, say: Callable[[str], None]) -> Loads:
    """Write the files, then measure."""
    server = embedded.start(stage.database_folder)
    asyncio.run(embedded.ensure_database(server, _DATABASE, anew=True))
    upgrade(server.url(_DATABASE))
    folder = stage.database_folder.parent / "files"
    folder.mkdir()
    folder.chmod(0o700)
    try:
        counts = _write_files(folder, plan.rows)
        say(f"files of {plan.rows:,} rows written")
        loads = {
            dataset: {kind: Load(rows=counts[dataset]) for kind in (FIRST, COPY, UPDATE)}
            for dataset in DATASETS
        }
        bench = _Bench(server.url(_DATABASE), server.socket_folder, folder, stage)
        for turn in range(plan.loads):
            for dataset, of in loads.items():
                asyncio.run(bench.round(dataset, of))
                rates = ", ".join(
                    f"{kind} {one.rows / one.seconds[-1]:,.0f}/s" for kind, one in of.items()
                )
                say(f"round {turn + 1}, {dataset}: {rates}")
        return loads
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Bench:
    """Loads and measures, on one database."""

    def __init__(self, url: str, host: str, folder: Path, stage: Stage) -> None:
        self._url = url
        self._host = host
        self._folder = folder
        self._keys = Vault.generate_keys()
        self._catalogue = load_catalogue()
        postmaster = (stage.database_folder / "postmaster.pid").read_text().split("\n")[0]
        self._postgres = psutil.Process(int(postmaster))

    async def round(self, dataset: str, of: Mapping[str, Load]) -> None:
        """One load of each sort."""
        table, dump = target_of(dataset).table, self._folder / "dump"
        await self._run(f"TRUNCATE {table}, {table}_history, intake_job")
        await self._ingest(dataset, "first", of[FIRST])
        connection = await self._connect()
        await connection.copy_from_table(table, output=str(dump))
        await self._run(f"TRUNCATE {table}, {table}_history, intake_job")
        with self._measured(of[COPY]):
            await connection.copy_to_table(table, source=str(dump))
        await connection.close()
        dump.unlink()
        await self._run(f"ANALYZE {table}")
        await self._ingest(dataset, "second", of[UPDATE])

    async def _ingest(self, dataset: str, which: str, load: Load) -> None:
        path = self._folder / f"{dataset}.{which}.ndjson"
        engine = make_engine(self._url, pool_size=1)
        with self._measured(load):
            order = Order(
                path=path,
                digest=digest_of_file(path),
                format="ndjson",
                source=Source(source_id="bench", name="数源单位（合成）"),
                dataset=dataset,
                catalogue=self._catalogue,
                vault_keys=self._keys,
                rejects=path.with_suffix(".rejects"),
            )
            job = await ingest(engine, order, Watcher(begun=_begun), now=lambda: datetime.now(UTC))
        await engine.dispose()
        if (job.state, job.rejected, job.rows) != (DONE, 0, load.rows):
            raise RuntimeError(f"The ingest ended otherwise than it should: {job}")

    @contextmanager
    def _measured(self, load: Load) -> Iterator[None]:
        """Wall clock, CPU of each part, and the reader's memory."""
        before, began = self._spent(), time.perf_counter()
        watching = threading.Event()
        watcher = threading.Thread(target=_watch, args=(watching, load))
        watcher.start()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            watching.set()
            watcher.join()
        own, reader, postgres = (
            after - was for after, was in zip(self._spent(), before, strict=True)
        )
        load.seconds.append(spent)
        load.own.append(own)
        load.reader.append(reader)
        load.postgres.append(postgres)

    def _spent(self) -> tuple[float, float, float]:
        """CPU seconds of this process, of its readers that have ended, of PostgreSQL."""
        own, readers = (
            resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return (
            own.ru_utime + own.ru_stime,
            readers.ru_utime + readers.ru_stime,
            self._spent_by_postgres(),
        )

    def _spent_by_postgres(self) -> float:
        """Of all its processes; asked again where one of them has just ended."""
        while True:
            with suppress(psutil.NoSuchProcess):
                times = [each.cpu_times() for each in (self._postgres, *self._postgres.children())]
                return float(
                    sum(
                        each.user + each.system + each.children_user + each.children_system
                        for each in times
                    )
                )

    async def _run(self, sql: str) -> None:
        connection = await self._connect()
        await connection.execute(sql)
        await connection.execute("CHECKPOINT")
        await connection.close()

    async def _connect(self) -> Any:  # asyncpg's connection
        return await asyncpg.connect(host=self._host, user="postgres", database=_DATABASE)


async def _begun(_connection: AsyncConnection, _job: Job) -> None:
    """Nobody's act."""


def _watch(done: threading.Event, load: Load) -> None:
    """The most memory that a child of this process has."""
    own = psutil.Process()
    while not done.wait(0.05):
        for child in own.children():
            try:
                load.memory = max(load.memory, child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue


def _write_files(folder: Path, rows: int) -> dict[str, int]:
    """Of each dataset a file and the same with a tenth of its rows changed; how many rows each has."""
    files = {
        (dataset, which): (folder / f"{dataset}.{which}.ndjson").open("wb")
        for dataset in DATASETS
        for which in ("first", "second")
    }
    counts = dict.fromkeys(DATASETS, 0)
    for entity in province(1, rows, today=TODAY, catalogue=load_catalogue()):
        delivered = {
            "registration": [_registration(entity.enterprise) | dict(entity.personal)],
            "licence": [
                {"uscc": each.uscc, **each.fields}
                for each in entity.records
                if each.dataset == "licence"
            ],
        }
        for dataset, each in delivered.items():
            for row in each[: rows - counts[dataset]]:
                counts[dataset] += 1
                changed = row | {"name": f"{row['name']}甲"}
                is_changed = counts[dataset] % CHANGED_EVERY == 0
                files[dataset, "first"].write(orjson.dumps(row) + b"\n")
                files[dataset, "second"].write(orjson.dumps(changed if is_changed else row) + b"\n")
        if min(counts.values()) >= rows:
            break
    for file in files.values():
        file.close()
    return counts


def _registration(of: Enterprise) -> dict[str, Any]:
    return {
        "uscc": of.uscc,
        "former_names": list(of.former_names),
        "capital": f"{of.capital:f}",
        **{name: getattr(of, name) for name in _FIELDS},
        **{name: getattr(of, name).isoformat() for name in _DATES if getattr(of, name)},
    }
