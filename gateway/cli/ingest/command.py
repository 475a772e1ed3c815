"""`ingest`: ingest files of a source on the gateway's machine; an interrupted run is resumed."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.admin.audit_log import ActContext, record
from gateway.cli.exit import fail
from gateway.cli.ingest.options import IngestOptions, parse_options
from gateway.cli.ingest.progress import ProgressBar, progress_bar
from gateway.cli.operator_session import plain_errors
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.natural_key_version import KeysDueError
from gateway.db.engine import own_engine
from gateway.ingest.chunk_reader import ReadPlan
from gateway.ingest.config import DEFAULT_CHUNK_ROWS
from gateway.ingest.ingest_file import IngestBusy, IngestTask, ProgressListener, ingest_file
from gateway.ingest.job_store import DONE, Job, digest_of_file
from gateway.ingest.reader_processes import chunks_in_order
from gateway.ingest.readers.decompression import FileRefused, open_regular_file
from gateway.ingest.readers.file_formats import FILE_FORMATS
from gateway.ingest.row_lists.list_file import RowList

REJECTED: Final = 1
REFUSED: Final = 2


def ingest_files(
    files: Annotated[
        list[Path], typer.Argument(help="CSV, NDJSON, Parquet or Excel; packed text too.")
    ],
    source: Annotated[str, typer.Option(help="The client whose records these are.")],
    dataset: Annotated[str, typer.Option(help="The dataset's code in the catalogue.")],
    encoding: Annotated[
        str, typer.Option(help="utf-8 or gb18030; else by the file's first block.")
    ] = "auto",
    file_format: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FILE_FORMATS)}; else by the name.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Folder for the lists of rejected rows and warnings; else FILE's."),
    ] = None,
    columns: Annotated[
        Path | None,
        typer.Option(help="YAML file of the department's own columns: lines `column: field`."),
    ] = None,
    ignore_unknown: Annotated[
        bool, typer.Option("--ignore-unknown", help="Leave out columns that are not known.")
    ] = False,
    sheet: Annotated[
        str | None, typer.Option(help="A workbook's sheet; else the one whose header is known.")
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
    options = parse_options(
        source, dataset, encoding, file_format, rejects, chunk_rows, again=again
    )
    options = options.with_columns(columns, sheet, ignore_unknown=ignore_unknown)
    ingest = _validate if dry_run else _ingest
    raise typer.Exit(max(ingest(path, options) for path in files))


def _ingest(path: Path, options: IngestOptions) -> int:
    """Ingest one file; returns the command's exit status."""
    console, asked_at = Console(stderr=True), _now()
    try:
        with progress_bar(console, path) as bar, plain_errors():
            job = asyncio.run(_run(path, options, bar))
    except (FileRefused, IngestBusy, KeysDueError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        fail(f"{path.name}: stopped; the same command goes on where it was.")
    _report(path, job, options, asked_at)
    if job.state != DONE:
        kept = " What came before it was kept." if job.rows else ""
        print(f"{path.name}: {job.sentence}{kept}", file=sys.stderr)
        return REFUSED
    return REJECTED if job.rejected else 0


async def _run(path: Path, options: IngestOptions, bar: ProgressBar) -> Job:
    digest = await asyncio.to_thread(digest_of_file, path, bar.read)
    config = options.config
    task = IngestTask(
        config=config,
        path=path,
        digest=digest,
        format=options.format_of(path),
        rejects=options.rejects_of(path),
        warnings=options.warnings_of(path),
        wording=options.wording,
        again=lambda _: options.again,
    )

    async def begun(connection: AsyncConnection, job: Job) -> None:
        context = ActContext(
            connection=connection,
            operator=options.operator,
            now=job.started_at,
            datasets=config.catalogue.codes,
        )
        source_id, dataset = config.source.source_id, config.dataset
        await record(context, "ingest", client_id=source_id, subject=dataset, after=digest)

    listener = ProgressListener(begun=begun, moved=bar.moved)
    async with own_engine(options.settings) as engine:
        return await ingest_file(engine, task, listener, now=_now)


@dataclass(slots=True, kw_only=True)
class _Judged:
    """Counts of a file that was judged only."""

    rows: int = 0
    rejected: int = 0
    passed_over: int = 0
    ignored: Sequence[str] = ()
    warnings: Counter[str] = field(default_factory=Counter)


def _validate(path: Path, options: IngestOptions) -> int:
    """Validate one file without the database; returns the exit status."""
    judged, sentence = _Judged(), None
    try:
        asyncio.run(_judge(path, options, judged))
    except FileRefused as error:
        sentence = str(error)
    except KeyboardInterrupt:
        fail(f"{path.name}: stopped.")
    print(
        f"{path.name}: {judged.rows:,} rows judged, {judged.rejected:,} rejected; nothing was written."
    )
    _print_left_out(judged.passed_over, judged.ignored)
    _print_warnings(judged.warnings, options)
    if sentence is not None:
        print(f"{path.name}: {sentence}", file=sys.stderr)
        return REFUSED
    return REJECTED if judged.rejected else 0


async def _judge(path: Path, options: IngestOptions, judged: _Judged) -> None:
    """Read the file in reader processes, as ingest does, and count."""
    open_regular_file(path).close()
    plan = ReadPlan(
        path=path, format=options.format_of(path), config=options.config, today=day_of(_now())
    )
    with (
        progress_bar(Console(stderr=True), path) as bar,
        RowList(options.rejects_of(path), 0, options.wording.rejects_form) as rejects,
        RowList(options.warnings_of(path), 0, options.wording.warnings_form) as warned,
    ):
        async with chunks_in_order(plan) as chunks:
            async for chunk in chunks:
                rejects.add(chunk.rejects)
                warned.add(chunk.warned)
                judged.rows += chunk.rows
                judged.rejected += chunk.rejected
                judged.passed_over += chunk.passed_over
                judged.ignored = tuple(dict.fromkeys((*judged.ignored, *chunk.ignored)))
                judged.warnings.update({w.value: count for w, count in chunk.warnings.items()})
                bar.at(chunk.position, judged.rows)


def _report(path: Path, job: Job, options: IngestOptions, asked_at: datetime) -> None:
    if job.state == DONE and job.moved_at < asked_at:
        day = f"{day_of(job.moved_at):%Y-%m-%d}"
        print(f"{path.name} was taken on {day}; --again takes it again.", file=sys.stderr)
    print(
        f"{path.name}: {job.rows:,} rows: {job.created:,} created, {job.updated:,} updated, "
        f"{job.unchanged:,} unchanged, {job.rejected:,} rejected."
    )
    _print_left_out(job.passed_over, job.ignored_columns)
    if job.rejected:
        print(f"  Why rows were rejected: {options.rejects_of(path)}")
    if job.masked_bytes:
        print(f"  Rows with warnings: {options.warnings_of(path)}")
    _print_warnings(Counter(job.warnings), options)


def _print_left_out(passed_over: int, ignored: Sequence[str]) -> None:
    if passed_over:
        print(f"  Rows of natural persons, passed over: {passed_over:,}")
    if ignored:
        print(f"  Columns that are not kept: {', '.join(ignored)}")


def _print_warnings(warnings: Counter[str], options: IngestOptions) -> None:
    for kind, count in sorted(warnings.items()):
        print(f"  Warning {kind}, from {options.config.source.source_id}: {count:,}")


def _now() -> datetime:
    return datetime.now(UTC)
