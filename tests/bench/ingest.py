"""Ingest of a province's files against a bare COPY of the same rows into the same tables.

Each round empties the tables and fills them anew, once by ingesting every file and once by COPY, both
with all indexes and each commit on the disk; then the same files, a tenth of their rows changed, follow.
"""

import asyncio
import csv
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
from typing import Any, Final, Self

import asyncpg
import psutil  # type: ignore[import-untyped]  # comes with the embedded PostgreSQL
import zstandard
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.creditfile.catalogue import load_catalogue
from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.db import embedded
from gateway.db.engine import make_engine
from gateway.ingest.config import IngestConfig
from gateway.ingest.ingest_file import IngestTask, ProgressListener, ingest_file
from gateway.ingest.job_store import DONE, Job, digest_of_file
from gateway.ingest.merge.staging_table import ENTERPRISE_STAGING, RECORD_STAGING, staging_table_of
from gateway.ingest.results import Source
from gateway.migrations.run import upgrade
from gateway.privacy.field_encryption import Vault
from gateway.synthetic.files.export import ExportPlan as Province
from gateway.synthetic.files.export import write_province
from gateway.synthetic.files.writers import WrittenFile
from gateway.synthetic.generator.delivered_rows import SOURCES
from tests.bench.environment import Environment
from tests.bench.options import Options

TODAY: Final = date(2026, 11, 22)
FIRST: Final = "first load"
COPY: Final = "bare COPY"
UPDATE: Final = "a tenth changed"
KINDS: Final = (FIRST, COPY, UPDATE)
TABLES: Final = {ENTERPRISE_STAGING.table: "registrations", RECORD_STAGING.table: "records"}
WHOLE: Final = "the whole province"
CHANGED_EVERY: Final = 10
_DATABASE: Final = "intake"


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTimes:
    """Seconds elapsed, and CPU seconds of the readers, this process and PostgreSQL."""

    clock: float = 0.0
    readers: float = 0.0
    own: float = 0.0
    postgres: float = 0.0

    def __add__(self, other: Self) -> "CpuTimes":
        return CpuTimes(
            clock=self.clock + other.clock,
            readers=self.readers + other.readers,
            own=self.own + other.own,
            postgres=self.postgres + other.postgres,
        )


@dataclass(slots=True, kw_only=True)
class Load:
    """Measurements of one kind of load by round, and the readers' peak memory in bytes."""

    rows: int
    rounds: list[CpuTimes] = field(default_factory=list)
    memory: int = 0

    @property
    def rate(self) -> float:
        """Rows per second, median of the rounds."""
        return self.rows / median(each.clock for each in self.rounds)

    def share_of(self, other: "Load") -> float:
        """Median of the rounds' ratios of rows per second."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return median(its.clock / own.clock for own, its in pairs)

    def together_with(self, other: "Load") -> "Load":
        """Both measurements added."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return Load(
            rows=self.rows + other.rows,
            rounds=[one + another for one, another in pairs],
            memory=max(self.memory, other.memory),
        )


Loads = Mapping[str, Mapping[str, Load]]
"""Loads by content (a table's rows, or all), then by kind of load."""


def measure_ingest(options: Options, environment: Environment, say: Callable[[str], None]) -> Loads:
    """Write the files, then measure every kind of load."""
    server = embedded.start(environment.database_folder)
    asyncio.run(embedded.ensure_database(server, _DATABASE, anew=True))
    upgrade(server.url(_DATABASE))
    folder = environment.database_folder.parent / "files"
    folder.mkdir()
    folder.chmod(0o700)
    try:
        files = _write_files(folder, options.province)
        say(
            f"files of {options.province:,} enterprises written, {sum(f.rows for f in files):,} rows"
        )
        rows = {table: sum(f.rows for f in files if _table(f) == table) for table in TABLES}
        loads = {table: {kind: Load(rows=rows[table]) for kind in KINDS} for table in TABLES}
        bench = _Bench(server.url(_DATABASE), server.socket_folder, folder, environment)
        for turn in range(options.loads):
            asyncio.run(bench.round(files, loads))
            for table, of in loads.items():
                rates = (
                    f"{kind} {one.rows / one.rounds[-1].clock:,.0f}/s" for kind, one in of.items()
                )
                say(f"round {turn + 1}, {TABLES[table]}: {', '.join(rates)}")
        named = {TABLES[table]: of for table, of in loads.items()}
        one, another = loads.values()
        return {**named, WHOLE: {kind: one[kind].together_with(another[kind]) for kind in KINDS}}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Bench:
    """Runner of the loads on one database."""

    def __init__(self, url: str, host: str, folder: Path, environment: Environment) -> None:
        self._url = url
        self._host = host
        self._folder = folder
        self._keys = Vault.generate_keys()
        self._catalogue = load_catalogue()
        postmaster = (environment.database_folder / "postmaster.pid").read_text().split("\n")[0]
        self._postgres = psutil.Process(int(postmaster))

    async def round(self, files: tuple[WrittenFile, ...], loads: Loads) -> None:
        """Run one load of each kind."""
        await self._empty()
        await self._ingest_all(files, "first", {table: of[FIRST] for table, of in loads.items()})
        connection = await self._connect()
        dumps = {table: self._folder / table for table in TABLES}
        for table, dump in dumps.items():
            await connection.copy_from_table(table, output=str(dump))
        await self._empty()
        for table, dump in dumps.items():
            with self._measured(loads[table][COPY]) as spent:
                await connection.copy_to_table(table, source=str(dump))
            loads[table][COPY].rounds.append(spent())
            dump.unlink()
        await connection.close()
        await self._run(f"ANALYZE {', '.join(TABLES)}")
        await self._ingest_all(files, "second", {table: of[UPDATE] for table, of in loads.items()})

    async def _ingest_all(
        self, files: tuple[WrittenFile, ...], which: str, loads: Mapping[str, Load]
    ) -> None:
        total = dict.fromkeys(TABLES, CpuTimes())
        for file in files:
            table = _table(file)
            with self._measured(loads[table]) as spent:
                await self._ingest(self._folder / which / file.name, file)
            total[table] += spent()
        for table, spent_on_it in total.items():
            loads[table].rounds.append(spent_on_it)

    async def _ingest(self, path: Path, file: WrittenFile) -> None:
        source_id, name, uscc = SOURCES[self._catalogue.dataset(file.dataset).source]
        engine = make_engine(self._url, pool_size=1)
        config = IngestConfig(
            source=Source(source_id=source_id, name=name, uscc=uscc),
            dataset=file.dataset,
            catalogue=self._catalogue,
            vault_keys=self._keys,
        )
        task = IngestTask(
            config=config,
            path=path,
            digest=digest_of_file(path),
            format="csv",
            rejects=path.with_suffix(".rejects"),
            warnings=path.with_suffix(".warnings"),
            again=lambda _: True,
        )
        job = await ingest_file(
            engine, task, ProgressListener(begun=_begin), now=lambda: datetime.now(UTC)
        )
        await engine.dispose()
        if (job.state, job.rejected, job.rows) != (DONE, 0, file.rows):
            raise RuntimeError(f"The ingest ended otherwise than it should: {job}")

    @contextmanager
    def _measured(self, load: Load) -> Iterator[Callable[[], CpuTimes]]:
        """Measure a block: a function of the CPU times, with the readers' memory noted in `load`."""
        before, done = self._spent(), threading.Event()
        watcher = threading.Thread(target=_watch, args=(done, load))
        watcher.start()
        after = before
        try:
            yield lambda: CpuTimes(
                clock=after.clock - before.clock,
                readers=after.readers - before.readers,
                own=after.own - before.own,
                postgres=after.postgres - before.postgres,
            )
        finally:
            after = self._spent()
            done.set()
            watcher.join()

    def _spent(self) -> CpuTimes:
        """CPU times so far of this process, its finished readers and PostgreSQL."""
        own, readers = (
            resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return CpuTimes(
            clock=time.perf_counter(),
            readers=readers.ru_utime + readers.ru_stime,
            own=own.ru_utime + own.ru_stime,
            postgres=self._spent_by_postgres(),
        )

    def _spent_by_postgres(self) -> float:
        """CPU time of all PostgreSQL processes; retried if one has just ended."""
        while True:
            with suppress(psutil.NoSuchProcess):
                times = [each.cpu_times() for each in (self._postgres, *self._postgres.children())]
                return float(
                    sum(
                        each.user + each.system + each.children_user + each.children_system
                        for each in times
                    )
                )

    async def _empty(self) -> None:
        both = ", ".join(f"{table}, {table}_history" for table in TABLES)
        await self._run(f"TRUNCATE {both}, intake_job")

    async def _run(self, sql: str) -> None:
        connection = await self._connect()
        await connection.execute(sql)
        await connection.execute("CHECKPOINT")
        await connection.close()

    async def _connect(self) -> Any:  # asyncpg's connection
        return await asyncpg.connect(host=self._host, user="postgres", database=_DATABASE)


async def _begin(_connection: AsyncConnection, _job: Job) -> None:
    """No audit row: the benchmark has no operator."""


def _watch(done: threading.Event, load: Load) -> None:
    """Track the largest resident memory of a child process."""
    own = psutil.Process()
    while not done.wait(0.05):
        for child in own.children():
            try:
                load.memory = max(load.memory, child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue


def _table(file: WrittenFile) -> str:
    return staging_table_of(file.dataset).table


def _write_files(folder: Path, entities: int) -> tuple[WrittenFile, ...]:
    """Write a province's files, and a second set with a tenth of the rows changed."""
    province = Province(folder=folder / "first", entities=entities, seed=1, today=TODAY, parts=1)
    files = write_province(province).files
    (folder / "second").mkdir()
    for file in files:
        _change(folder, file, load_catalogue().dataset(file.dataset))
    return files


def _change(folder: Path, file: WrittenFile, dataset: DatasetDefinition) -> None:
    """Change a non-key text in every tenth row, where the dataset has one."""
    with (
        zstandard.open(folder / "first" / file.name, "rt", encoding="utf-8", newline="") as first,
        zstandard.open(folder / "second" / file.name, "wt", encoding="utf-8", newline="") as second,
    ):
        rows, writer = csv.reader(first), csv.writer(second, lineterminator="\n")
        header = next(rows)
        writer.writerow(header)
        place = _changeable(header, dataset)
        for number, cells in enumerate(rows):
            if place is not None and number % CHANGED_EVERY == 0:
                cells[place] += "甲"
            writer.writerow(cells)


def _changeable(header: list[str], dataset: DatasetDefinition) -> int | None:
    texts = (
        each.name
        for each in dataset.fields
        if each.type == "text" and not each.values and each.name not in dataset.key
    )
    return next((header.index(name) for name in texts), None)
