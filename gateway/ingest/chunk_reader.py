"""A file's rows, judged and written as chunks for COPY.

Chunks end at the same rows whoever reads them and wherever reading begins anew, so that a file may be
read in several lanes: each passes over the others' chunks.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.copy_batch import MOST_TOGETHER, CopyBatch
from gateway.ingest.copy_encoding import liner_for
from gateway.ingest.csv_reader import rows_of_csv
from gateway.ingest.decompression import DecompressedFile, FileRefused
from gateway.ingest.ndjson_reader import rows_of_ndjson
from gateway.ingest.results import MaskedField, RowWarning, Source
from gateway.ingest.row_reader import RowReader
from gateway.ingest.text_encoding import Encoding
from gateway.ingest.validate_row import RowValidator
from gateway.privacy.field_encryption import DrawnAhead, Vault, VaultKeys

MOST_BYTES: Final = 32 << 20
"""Bytes of the lines that are held at once: of large rows a chunk has several parts."""
Format = str
FORMATS: Final = ("csv", "ndjson", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """All that is to be known to read. `skip` rows have been taken already."""

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
    lane: int = 0
    lanes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """So many rows: what is to be merged, and what is not and why.

    `rejects` and `masked` are lines of CSV (`row_lists`); `position` is in the file itself, in bytes. Of
    large rows a chunk has several parts; with the last one the next lane's turn has come.
    """

    rows: int
    payload: bytes = field(repr=False)
    rejects: bytes
    masked: bytes = field(repr=False)
    rejected: int
    superseded: int
    warnings: Mapping[RowWarning, int]
    position: int
    is_last_part: bool


def chunks_of(reading: ReadingOptions) -> Iterator[Chunk]:
    """Read, judge and write this lane's chunks; `FileRefused` where it cannot go on."""
    judge = RowValidator(reading.catalogue, reading.dataset, today=reading.today)
    vault = Vault(VaultKeys.parse(reading.vault_keys), random=DrawnAhead())
    liner = liner_for(reading.catalogue, reading.dataset, reading.source, vault)
    with DecompressedFile(reading.path) as source:
        rows = _rows(source, reading)
        at = rows.pass_over(reading.skip)
        if at < reading.skip:
            raise FileRefused("The file has fewer rows than were taken from it before.")
        while True:
            turn = at // reading.chunk_rows
            wanted = (turn + 1) * reading.chunk_rows - at
            if turn % reading.lanes != reading.lane:
                passed = rows.pass_over(wanted)
                if passed < wanted:
                    return
                at += passed
                continue
            batch = CopyBatch(judge, liner)
            refused = _fill(batch, rows, at, wanted)
            count = batch.rows
            at += count
            is_whole = count == wanted or batch.size < MOST_BYTES
            if count:
                yield _chunk(batch, count, source.position, is_last_part=is_whole)
            if refused is not None:
                raise refused
            if is_whole and count < wanted:
                return


def _fill(batch: CopyBatch, rows: RowReader, at: int, wanted: int) -> FileRefused | None:
    """Judge so many rows, or fewer large ones; why no more can be read."""
    try:
        while batch.rows < wanted and batch.size < MOST_BYTES:
            some = rows.take(min(MOST_TOGETHER, wanted - batch.rows))
            if not some:
                break
            done = batch.add(at + batch.rows + 1, some, rows.form, most_bytes=MOST_BYTES)
            rows.give_back(some[done:])
    except FileRefused as refused:
        return refused
    return None


def _rows(source: DecompressedFile, reading: ReadingOptions) -> RowReader:
    dataset = reading.catalogue.dataset(reading.dataset)
    if source.is_parquet != (reading.format == "parquet"):
        raise FileRefused(f"The file is not what its name says ({reading.format}).")
    if reading.format == "csv":
        return rows_of_csv(source, dataset, reading.encoding)
    if reading.format == "ndjson":
        return rows_of_ndjson(source, reading.encoding)
    # PyArrow takes longer to import than all else together.
    from gateway.ingest.parquet_reader import rows_of_parquet  # noqa: PLC0415

    return rows_of_parquet(source, dataset)


def _chunk(batch: CopyBatch, rows: int, position: int, *, is_last_part: bool) -> Chunk:
    warnings = Counter(each for warned in batch.warned.values() for each in warned)
    if batch.superseded:
        warnings[RowWarning.SUPERSEDED] += len(batch.superseded)
    return Chunk(
        rows=rows,
        payload=batch.payload(),
        rejects=reject_lines(batch.rejected),
        masked=masked_lines(batch.masked),
        rejected=len(batch.rejected),
        superseded=len(batch.superseded),
        warnings=warnings,
        position=position,
        is_last_part=is_last_part,
    )


def reject_lines(rejected: Mapping[int, tuple[FieldProblem, ...]]) -> bytes:
    """One line of CSV for each problem: row, field, reason. No value is in it."""
    return _lines(
        (number, problem.field, problem.reason)
        for number, problems in rejected.items()
        for problem in problems
    )


def masked_lines(masked: Mapping[int, tuple[MaskedField, ...]]) -> bytes:
    """One line of CSV for each number that was masked: row, field, item, kind, start, length."""
    return _lines(
        (number, each.field, each.item, each.masking.kind, each.masking.start, each.masking.length)
        for number, those in masked.items()
        for each in those
    )


def _lines(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
