"""Reader of a delivered file: validated rows, encoded in chunks for COPY.

Chunk boundaries depend on row numbers only, so that several processes can read one file, each
skipping the others' chunks, and reading can resume anywhere.
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
from gateway.ingest.copy_batch import MAX_ROWS_AT_ONCE, CopyBatch
from gateway.ingest.copy_encoding import row_encoder
from gateway.ingest.csv_reader import read_csv
from gateway.ingest.decompression import DecompressedFile, FileRefused
from gateway.ingest.ndjson_reader import read_ndjson
from gateway.ingest.results import MaskedField, RowWarning, Source
from gateway.ingest.row_reader import RowReader
from gateway.ingest.text_encoding import Encoding
from gateway.ingest.validate_row import RowValidator
from gateway.privacy.field_encryption import BufferedRandom, Vault, VaultKeys

MAX_BUFFERED_BYTES: Final = 32 << 20
"""Encoded bytes held in memory; a chunk of large rows is sent in several parts."""
FILE_FORMATS: Final = ("csv", "ndjson", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """All that is to be known to read. `skip` rows have been taken already."""

    path: Path
    format: str
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
    """Some validated rows: the COPY payload, and the lists of rejected and masked fields.

    `rejects` and `masked` are lines of CSV (`row_list_files`); `position` is the byte offset in the
    file as delivered. A chunk of large rows has several parts; the next reader's turn follows the
    last one.
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


def read_chunks(reading: ReadingOptions) -> Iterator[Chunk]:
    """Read, validate and encode this reader's chunks; `FileRefused` where the file is unusable."""
    validator = RowValidator(reading.catalogue, reading.dataset, today=reading.today)
    vault = Vault(VaultKeys.parse(reading.vault_keys), random=BufferedRandom())
    encoder = row_encoder(reading.catalogue, reading.dataset, reading.source, vault)
    with DecompressedFile(reading.path) as source:
        rows = _rows(source, reading)
        row = rows.pass_over(reading.skip)
        if row < reading.skip:
            raise FileRefused("The file has fewer rows than were taken from it before.")
        while True:
            turn = row // reading.chunk_rows
            wanted = (turn + 1) * reading.chunk_rows - row
            if turn % reading.lanes != reading.lane:
                passed = rows.pass_over(wanted)
                if passed < wanted:
                    return
                row += passed
                continue
            batch = CopyBatch(validator, encoder)
            refused = _fill(batch, rows, row, wanted)
            count = batch.rows
            row += count
            is_whole = count == wanted or batch.size < MAX_BUFFERED_BYTES
            if count:
                yield _chunk(batch, count, source.position, is_last_part=is_whole)
            if refused is not None:
                raise refused
            if is_whole and count < wanted:
                return


def _fill(batch: CopyBatch, rows: RowReader, first: int, wanted: int) -> FileRefused | None:
    """Add up to `wanted` rows, or fewer large ones; the reason if the file is unusable from here
    on."""
    try:
        while batch.rows < wanted and batch.size < MAX_BUFFERED_BYTES:
            items = rows.take(min(MAX_ROWS_AT_ONCE, wanted - batch.rows))
            if not items:
                break
            added = batch.add(
                first + batch.rows + 1, items, rows.parser, max_bytes=MAX_BUFFERED_BYTES
            )
            rows.give_back(items[added:])
    except FileRefused as refused:
        return refused
    return None


def _rows(source: DecompressedFile, reading: ReadingOptions) -> RowReader:
    dataset = reading.catalogue.dataset(reading.dataset)
    if source.is_parquet != (reading.format == "parquet"):
        raise FileRefused(f"The file is not what its name says ({reading.format}).")
    if reading.format == "csv":
        return read_csv(source, dataset, reading.encoding)
    if reading.format == "ndjson":
        return read_ndjson(source, reading.encoding)
    # PyArrow takes longer to import than all else together.
    from gateway.ingest.parquet_reader import read_parquet  # noqa: PLC0415

    return read_parquet(source, dataset)


def _chunk(batch: CopyBatch, rows: int, position: int, *, is_last_part: bool) -> Chunk:
    warnings = Counter(each for warned in batch.warned.values() for each in warned)
    if batch.superseded:
        warnings[RowWarning.SUPERSEDED] += len(batch.superseded)
    return Chunk(
        rows=rows,
        payload=batch.payload(),
        rejects=rejects_csv(batch.rejected),
        masked=masked_csv(batch.masked),
        rejected=len(batch.rejected),
        superseded=len(batch.superseded),
        warnings=warnings,
        position=position,
        is_last_part=is_last_part,
    )


def rejects_csv(rejected: Mapping[int, tuple[FieldProblem, ...]]) -> bytes:
    """CSV lines of rejected rows: row, field, reason. Contains no values."""
    return _lines(
        (number, problem.field, problem.reason)
        for number, problems in rejected.items()
        for problem in problems
    )


def masked_csv(masked: Mapping[int, tuple[MaskedField, ...]]) -> bytes:
    """CSV lines of masked numbers: row, field, item, kind, start, length."""
    return _lines(
        (number, each.field, each.item, each.masking.kind, each.masking.start, each.masking.length)
        for number, fields in masked.items()
        for each in fields
    )


def _lines(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
