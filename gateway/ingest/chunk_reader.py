"""Reader of a delivered file: validated rows, encoded in chunks for COPY.

Chunk boundaries depend on row numbers only, so that several processes can read one file, each
skipping the others' chunks, and reading can resume anywhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.creditfile.field_problems import WHOLE_ROW
from gateway.ingest.config import IngestConfig
from gateway.ingest.merge.copy_batch import MAX_ROWS_AT_ONCE, CopyBatch
from gateway.ingest.merge.copy_encoding import row_encoder
from gateway.ingest.readers.csv_reader import read_csv
from gateway.ingest.readers.decompression import DecompressedFile, FileRefused
from gateway.ingest.readers.file_formats import WORKBOOKS
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.ndjson_reader import read_ndjson
from gateway.ingest.readers.parquet_support import read_parquet
from gateway.ingest.readers.row_reader import RowReader
from gateway.ingest.readers.workbook_support import open_workbook, read_workbook
from gateway.ingest.results import RowWarning
from gateway.ingest.row_lists.stored_lines import ColumnNames, reject_lines, warning_lines
from gateway.ingest.validation.validate_row import RowValidator
from gateway.privacy.field_encryption import BufferedRandom, Vault, VaultKeys

if TYPE_CHECKING:
    from gateway.ingest.readers.workbook.workbook_file import WorkbookFile

MAX_BUFFERED_BYTES: Final = 32 << 20
"""Encoded bytes held in memory; a chunk of large rows is sent in several parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """Rows of a file for one reader: every `readers`-th chunk, without the first `skip` rows."""

    path: Path
    format: str
    config: IngestConfig
    today: date
    skip: int = 0
    reader: int = 0
    readers: int = 1

    @property
    def is_workbook(self) -> bool:
        """True if the file is an Excel workbook, which one reader reads."""
        return self.format in WORKBOOKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some validated rows: the COPY payload, and the lists of rejected rows and warnings.

    `rejects` and `warned` are stored lines (`row_lists`); `position` is the byte offset in the file
    as delivered. A chunk of large rows has several parts; the next reader's turn follows the
    last one.
    """

    rows: int
    payload: bytes = field(repr=False)
    rejects: bytes
    warned: bytes = field(repr=False)
    columns: ColumnNames
    rejected: int
    superseded: int
    passed_over: int
    ignored: tuple[str, ...]
    """Columns of the file that are not kept."""
    warnings: Mapping[RowWarning, int]
    position: int
    is_last_part: bool


def read_chunks(plan: ReadPlan) -> Iterator[Chunk]:
    """Read, validate and encode this reader's chunks; `FileRefused` where the file is unusable."""
    config = plan.config
    validator = RowValidator(config.catalogue, config.dataset, today=plan.today)
    vault = Vault(VaultKeys.parse(config.vault_keys), random=BufferedRandom())
    end_of_publicity = validator.rules.by_column.get("publicity_ends_on", WHOLE_ROW)
    encoder = row_encoder(config.catalogue, config.dataset, config.source, vault)
    with open_workbook(plan.path) if plan.is_workbook else DecompressedFile(plan.path) as source:
        rows = _open_rows(source, plan)
        row = rows.pass_over(plan.skip)
        if row < plan.skip:
            raise FileRefused(
                "The file has fewer rows than were taken from it before.",
                "文件的行数少于此前已处理的行数。",
            )
        while True:
            turn = row // config.chunk_rows
            wanted = (turn + 1) * config.chunk_rows - row
            if turn % plan.readers != plan.reader:
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
                yield _chunk(
                    batch, rows, count, source.position, end_of_publicity, is_last_part=is_whole
                )
            if refused is not None:
                raise refused
            if is_whole and count < wanted:
                return


def _fill(batch: CopyBatch, rows: RowReader, first: int, wanted: int) -> FileRefused | None:
    """Add up to `wanted` rows, or fewer large ones; returns why the file is unusable, if it is."""
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


def _open_rows(source: "DecompressedFile | WorkbookFile", plan: ReadPlan) -> RowReader:
    config = plan.config
    header = HeaderReader(
        config.catalogue, config.dataset, config.columns, ignore_unknown=config.ignore_unknown
    )
    if not isinstance(source, DecompressedFile):
        return read_workbook(source, header, config.sheet)
    if source.is_parquet != (plan.format == "parquet"):
        raise FileRefused(
            f"The file is not what its name says ({plan.format}).",
            f"文件内容与其名称所示格式（{plan.format}）不符。",
        )
    if plan.format == "ndjson":
        return read_ndjson(source, header, config.encoding)
    if plan.format == "csv":
        return read_csv(source, header, config.encoding)
    return read_parquet(source, header)


def _chunk(
    batch: CopyBatch,
    reader: RowReader,
    rows: int,
    position: int,
    end_of_publicity: str,
    *,
    is_last_part: bool,
) -> Chunk:
    warnings = Counter(each for warned in batch.warned.values() for each in warned)
    if batch.superseded:
        warnings[RowWarning.SUPERSEDED] += len(batch.superseded)
    columns = reader.names
    return Chunk(
        rows=rows,
        payload=batch.payload(),
        rejects=reject_lines(batch.rejected, columns),
        warned=warning_lines(batch, columns, end_of_publicity),
        columns=columns,
        rejected=len(batch.rejected),
        superseded=len(batch.superseded),
        passed_over=batch.passed_over,
        ignored=reader.ignored,
        warnings=warnings,
        position=position,
        is_last_part=is_last_part,
    )
