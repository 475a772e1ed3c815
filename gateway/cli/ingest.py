"""Files of a source are taken on the gateway's own machine: a run that was killed is run again."""

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin import audit_log
from gateway.admin.audit_log import ActContext, OperatorAct
from gateway.cli.ingest_options import IngestOptions, parse_options
from gateway.cli.ingest_progress import ProgressBar, progress_bar
from gateway.cli.operator_session import errors_as_sentences, exit_with
from gateway.creditfile.key_version import KeysDueError
from gateway.creditfile.local_dates import day_of
from gateway.db.engine import background_engine
from gateway.ingest.chunk_reader import ReadingOptions, read_chunks
from gateway.ingest.decompression import FileRefused
from gateway.ingest.ingest_file import (
    DEFAULT_CHUNK_ROWS,
    IngestBusy,
    IngestJob,
    ProgressListener,
    ingest_file,
)
from gateway.ingest.job_store import DONE, Job, digest_of_file
from gateway.ingest.row_list_files import MASKED_HEADER, REJECTED_HEADER, RowList

REJECTED: Final = 1
REFUSED: Final = 2


def ingest_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, NDJSON or Parquet; .gz and .zst too.")],
    source: Annotated[str, typer.Option(help="The client whose records these are.")],
    dataset: Annotated[str, typer.Option(help="The dataset's code in the catalogue.")],
    encoding: Annotated[str, typer.Option(help="utf-8 or gb18030; never guessed.")] = "utf-8",
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, ndjson or parquet; else by the name.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Folder for the lists of rejected rows and masked numbers; else FILE's."),
    ] = None,
    chunk_rows: Annotated[
        int, typer.Option(min=100, max=100_000, help="Rows in one transaction.")
    ] = DEFAULT_CHUNK_ROWS,
    again: Annotated[bool, typer.Option("--again", help="Take a file once more.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge only, write nothing.")] = False,
) -> None:
    """Take files of a source's records. Run it again after a failure: it goes on where it was.

    Ends with 0 where every row was taken, 1 where some were rejected, 2 where a file was refused.
    """
    delivery = parse_options(
        source, dataset, encoding, file_format, rejects, chunk_rows, again=again
    )
    take = _judge if dry_run else _take
    raise typer.Exit(max(take(path, delivery) for path in files))


def _take(path: Path, delivery: IngestOptions) -> int:
    """Take one file; the status that the command would end with."""
    console, asked_at = Console(stderr=True), _now()
    try:
        with progress_bar(console, path) as show, errors_as_sentences():
            job = asyncio.run(_ingested(path, delivery, show))
    except (FileRefused, IngestBusy, KeysDueError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        exit_with(f"{path.name}: stopped; the same command goes on where it was.")
    _report(path, job, delivery, asked_at)
    if job.state != DONE:
        kept = " What came before it was kept." if job.rows else ""
        print(f"{path.name}: {job.sentence}{kept}", file=sys.stderr)
        return REFUSED
    return REJECTED if job.rejected else 0


async def _ingested(path: Path, delivery: IngestOptions, show: ProgressBar) -> Job:
    digest = await asyncio.to_thread(digest_of_file, path, show.read)
    order = IngestJob(
        path=path,
        digest=digest,
        format=delivery.format_of(path),
        source=delivery.source,
        dataset=delivery.dataset,
        catalogue=delivery.catalogue,
        vault_keys=delivery.vault_keys,
        rejects=delivery.rejects_of(path),
        masked=delivery.masked_of(path),
        encoding=delivery.encoding,
        chunk_rows=delivery.chunk_rows,
        again=lambda _: delivery.again,
    )

    async def begun(connection: AsyncConnection, job: Job) -> None:
        at = ActContext(
            connection=connection,
            operator=delivery.by,
            now=job.started_at,
            datasets=delivery.catalogue.codes,
        )
        what = OperatorAct(
            what="ingest",
            client_id=delivery.source.source_id,
            subject=delivery.dataset,
            after=digest,
        )
        await audit_log.record(at, what)

    engine = background_engine(delivery.settings)
    try:
        return await ingest_file(
            engine, order, ProgressListener(begun=begun, moved=show.moved), now=_now
        )
    finally:
        await engine.dispose()


def _judge(path: Path, delivery: IngestOptions) -> int:
    """Judge one file without the database; the status that taking it would end with at best."""
    rows, rejected, warnings = 0, 0, Counter[str]()
    sentence: str | None = None
    try:
        reading = ReadingOptions(
            path=path,
            format=delivery.format_of(path),
            encoding=delivery.encoding,
            dataset=delivery.dataset,
            source=delivery.source,
            catalogue=delivery.catalogue,
            vault_keys=delivery.vault_keys,
            today=day_of(_now()),
            skip=0,
            chunk_rows=delivery.chunk_rows,
        )
        with (
            progress_bar(Console(stderr=True), path) as show,
            RowList(delivery.rejects_of(path), 0, REJECTED_HEADER) as list_of_rejects,
            RowList(delivery.masked_of(path), 0, MASKED_HEADER) as list_of_masked,
        ):
            for chunk in read_chunks(reading):
                list_of_rejects.add(chunk.rejects)
                list_of_masked.add(chunk.masked)
                rows, rejected = rows + chunk.rows, rejected + chunk.rejected
                warnings.update({each.value: count for each, count in chunk.warnings.items()})
                show.at(chunk.position, rows)
    except FileRefused as error:
        sentence = str(error)
    print(f"{path.name}: {rows:,} rows judged, {rejected:,} rejected; nothing was written.")
    _print_warnings(warnings, delivery)
    if sentence is not None:
        print(f"{path.name}: {sentence}", file=sys.stderr)
        return REFUSED
    return REJECTED if rejected else 0


def _report(path: Path, job: Job, delivery: IngestOptions, asked_at: datetime) -> None:
    if job.state == DONE and job.moved_at < asked_at:
        day = f"{day_of(job.moved_at):%Y-%m-%d}"
        print(f"{path.name} was taken on {day}; --again takes it again.", file=sys.stderr)
    print(
        f"{path.name}: {job.rows:,} rows: {job.created:,} created, {job.updated:,} updated, "
        f"{job.unchanged:,} unchanged, {job.rejected:,} rejected."
    )
    if job.rejected:
        print(f"  Why rows were rejected: {delivery.rejects_of(path)}")
    if job.masked_bytes:
        print(f"  Where personal numbers were masked: {delivery.masked_of(path)}")
    _print_warnings(Counter(job.warnings), delivery)


def _print_warnings(warnings: Counter[str], delivery: IngestOptions) -> None:
    for kind, count in sorted(warnings.items()):
        print(f"  Warning {kind}, from {delivery.source.source_id}: {count:,}")


def _now() -> datetime:
    return datetime.now(UTC)
