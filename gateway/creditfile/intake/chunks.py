"""A file's rows, judged and written as chunks for COPY, in a process of their own.

The reader works ahead while PostgreSQL merges. Whatever a file does to its reader, a bounded part of
the machine's memory is all that it can do it with.
"""

import csv
import io
import multiprocessing
import resource
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.intake.batches import Batch
from gateway.creditfile.intake.judging import Judge
from gateway.creditfile.intake.reading_files import Row, rows_of_csv, rows_of_ndjson
from gateway.creditfile.intake.staging import liner_for
from gateway.creditfile.intake.texts import Encoding
from gateway.creditfile.intake.unpacking import FileRefused, Unpacked
from gateway.creditfile.intake.verdicts import Source, Warned
from gateway.creditfile.mapping import Problem
from gateway.creditfile.vault import Vault, VaultKeys

MOST_BYTES: Final = 32 << 20
"""Characters of a chunk's lines; a chunk ends when it has so many, or enough rows."""
MOST_MEMORY: Final = 4 << 30
"""Bytes of address space of the reading process; what it really uses is far less."""
Format = str
FORMATS: Final = ("csv", "ndjson", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that the reading process needs to know. `skip` rows have been taken already."""

    path: Path
    format: Format
    encoding: Encoding
    dataset: str
    source: Source
    catalogue: Catalogue
    vault_keys: str = field(repr=False)
    today: date
    skip: int
    chunk_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """So many rows: what is to be merged, and what is not and why.

    `rejects` are lines of CSV (row, field, reason); `position` is in the file itself, in bytes.
    """

    rows: int
    payload: bytes = field(repr=False)
    rejects: bytes
    rejected: int
    superseded: int
    warnings: Mapping[Warned, int]
    position: int


def chunks_of(reading: Reading) -> Iterator[Chunk]:
    """Read, judge and write; `FileRefused` where it cannot go on."""
    judge = Judge(reading.catalogue, reading.dataset, today=reading.today)
    vault = Vault(VaultKeys.parse(reading.vault_keys))
    liner = liner_for(reading.catalogue, reading.dataset, reading.source, vault)
    with Unpacked(reading.path) as source:
        rows = _rows(source, reading)
        numbered = enumerate(rows, start=1)
        skipped = sum(1 for _ in islice(numbered, reading.skip))
        if skipped < reading.skip:
            raise FileRefused("The file has fewer rows than were taken from it before.")
        while True:
            batch, refused = Batch(judge, liner), None
            count = 0
            try:
                for number, row in islice(numbered, reading.chunk_rows):
                    count += 1
                    _add(batch, number, row)
                    if batch.size >= MOST_BYTES:
                        break
            except FileRefused as error:
                refused = error
            if count:
                yield _chunk(batch, count, source.position)
            if refused is not None:
                raise refused
            if not count:
                return


def _rows(source: Unpacked, reading: Reading) -> Iterator[Row]:
    dataset = reading.catalogue.dataset(reading.dataset)
    if source.is_parquet != (reading.format == "parquet"):
        raise FileRefused(f"The file is not what its name says ({reading.format}).")
    if reading.format == "csv":
        return rows_of_csv(source, dataset, reading.encoding)
    if reading.format == "ndjson":
        return rows_of_ndjson(source, reading.encoding)
    # PyArrow takes longer to import than all else together.
    from gateway.creditfile.intake.parquet import rows_of_parquet  # noqa: PLC0415

    return rows_of_parquet(source, dataset)


def _add(batch: Batch, number: int, row: Row) -> None:
    if isinstance(row, Problem):
        batch.reject(number, row)
    else:
        batch.add(number, row)


def _chunk(batch: Batch, rows: int, position: int) -> Chunk:
    warnings = Counter(each for warned in batch.warned.values() for each in warned)
    if batch.superseded:
        warnings[Warned.SUPERSEDED] += len(batch.superseded)
    return Chunk(
        rows=rows,
        payload=batch.payload(),
        rejects=reject_lines(batch.rejected),
        rejected=len(batch.rejected),
        superseded=len(batch.superseded),
        warnings=warnings,
        position=position,
    )


def reject_lines(rejected: Mapping[int, tuple[Problem, ...]]) -> bytes:
    """One line of CSV for each problem: row, field, reason. No value is in it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        (number, problem.field, problem.reason)
        for number, problems in rejected.items()
        for problem in problems
    )
    return text.getvalue().encode()


class Reader:
    """The process that reads a file; `next` gives its chunks in order, then `None`."""

    def __init__(self, reading: Reading) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._here, there = spawning.Pipe(duplex=False)
        self._process = spawning.Process(target=_work, args=(reading, there), daemon=True)
        self._process.start()
        there.close()

    def next(self) -> Chunk | None:
        """Wait for the next chunk; `FileRefused` where the file cannot be taken any further."""
        try:
            got = self._here.recv()
        except EOFError:
            raise FileRefused(
                "The process that read the file ended; it may have needed too much memory."
            ) from None
        if isinstance(got, FileRefused):
            raise got
        return got if isinstance(got, Chunk) else None

    def kill(self) -> None:
        """End the process, whatever it is doing; whoever waits in `next` is told at once."""
        self._process.kill()
        self._process.join()

    def close(self) -> None:
        """Let go of the pipe, when nobody waits any more."""
        self._here.close()


def _work(reading: Reading, there: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with closing(there), suppress(BrokenPipeError):  # nobody reads any more
        try:
            for chunk in chunks_of(reading):
                there.send(chunk)
            there.send(None)
        except FileRefused as refused:
            there.send(refused)
        except MemoryError:
            there.send(FileRefused("A row of the file needs more memory than it may take."))
