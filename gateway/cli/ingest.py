"""Files of a source are taken on the gateway's own machine: a run that was killed is run again."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.cli.operating import an_id, look, operator, sentences, stop
from gateway.console import acts
from gateway.console.acts import Act, At
from gateway.console.operators import Operator
from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue_versions import in_force
from gateway.creditfile.days import day_of
from gateway.creditfile.intake.chunks import FORMATS, Reading, chunks_of
from gateway.creditfile.intake.ingesting import CHUNK_ROWS, Busy, Order, Watcher, ingest
from gateway.creditfile.intake.jobs import DONE, Job, digest_of_file
from gateway.creditfile.intake.rejects import Rejects
from gateway.creditfile.intake.sources import NotASource, source_of
from gateway.creditfile.intake.texts import ENCODINGS, Encoding
from gateway.creditfile.intake.unpacking import FileRefused
from gateway.creditfile.intake.verdicts import Source
from gateway.creditfile.vault import VaultKeys, VaultKeysError
from gateway.db.engine import make_engine
from gateway.settings import IntakeSettings, SettingsError

REJECTED: Final = 1
REFUSED: Final = 2
_PACKED: Final = (".gz", ".zst", ".zstd")
_BY_NAME: Final = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What all files of one command have in common."""

    database_url: str = field(repr=False)
    vault_keys: str = field(repr=False)
    catalogue: Catalogue
    by: Operator
    source: Source
    dataset: str
    encoding: Encoding
    format: str | None
    rejects: Path | None
    chunk_rows: int
    again: bool


def ingest_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, NDJSON or Parquet; .gz and .zst too.")],
    source: Annotated[str, typer.Option(help="The client whose records these are.")],
    dataset: Annotated[str, typer.Option(help="The dataset's code in the catalogue.")],
    encoding: Annotated[str, typer.Option(help="utf-8 or gb18030; never guessed.")] = "utf-8",
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv, ndjson or parquet; else by the name.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Folder for the lists of rejected rows; else beside FILE.")
    ] = None,
    chunk_rows: Annotated[
        int, typer.Option(min=100, max=100_000, help="Rows in one transaction.")
    ] = CHUNK_ROWS,
    again: Annotated[bool, typer.Option("--again", help="Take a file once more.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge only, write nothing.")] = False,
) -> None:
    """Take files of a source's records. Run it again after a failure: it goes on where it was.

    Ends with 0 where every row was taken, 1 where some were rejected, 2 where a file was refused.
    """
    delivery = _delivery(source, dataset, encoding, file_format, rejects, chunk_rows, again=again)
    take = _judge if dry_run else _take
    raise typer.Exit(max(take(path, delivery) for path in files))


def _delivery(
    client_id: str,
    dataset: str,
    encoding: str,
    file_format: str | None,
    rejects: Path | None,
    chunk_rows: int,
    *,
    again: bool,
) -> Delivery:
    """The command's options, checked against catalogue, client and agreement."""
    known: Encoding | None = next((each for each in ENCODINGS if each == encoding), None)
    if known is None:
        stop("--encoding is utf-8 or gb18030.")
    if file_format not in (None, *FORMATS):
        stop("--format is csv, ndjson or parquet.")
    with sentences():
        by, settings = operator(), IntakeSettings.from_env()
        keys = _vault_keys(settings)
        catalogue = look(in_force)
        if dataset not in catalogue.codes:
            stop(f"The catalogue has no dataset {dataset}; it has {', '.join(catalogue.codes)}.")
        try:
            source = look(partial(_source, client_id=an_id(client_id), dataset=dataset))
        except NotASource as error:
            stop(str(error))
    return Delivery(
        database_url=settings.database_url,
        vault_keys=keys,
        catalogue=catalogue,
        by=by,
        source=source,
        dataset=dataset,
        encoding=known,
        format=file_format,
        rejects=rejects,
        chunk_rows=chunk_rows,
        again=again,
    )


def _take(path: Path, delivery: Delivery) -> int:
    """Take one file; the status that the command would end with."""
    console = Console(stderr=True)
    try:
        with _progress(console, path) as show, sentences():
            job = asyncio.run(_ingested(path, delivery, show))
    except (FileRefused, Busy) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        stop(f"{path.name}: stopped; the same command goes on where it was.")
    _report(path, job, delivery)
    if job.state != DONE:
        kept = " What came before it was kept." if job.rows else ""
        print(f"{path.name}: {job.sentence}{kept}", file=sys.stderr)
        return REFUSED
    return REJECTED if job.rejected else 0


async def _ingested(path: Path, delivery: Delivery, show: "_Show") -> Job:
    digest = await asyncio.to_thread(digest_of_file, path, show.read)
    order = Order(
        path=path,
        digest=digest,
        format=_format(path, delivery),
        source=delivery.source,
        dataset=delivery.dataset,
        catalogue=delivery.catalogue,
        vault_keys=delivery.vault_keys,
        rejects=_rejects(path, delivery),
        encoding=delivery.encoding,
        chunk_rows=delivery.chunk_rows,
        again=delivery.again,
    )

    async def begun(connection: AsyncConnection, job: Job) -> None:
        at = At(
            conn=connection,
            by=delivery.by,
            now=job.started_at,
            datasets=delivery.catalogue.codes,
        )
        what = Act(
            what="ingest",
            client_id=delivery.source.source_id,
            subject=delivery.dataset,
            after=digest,
        )
        await acts.record(at, what)

    engine = make_engine(delivery.database_url, pool_size=1)
    try:
        return await ingest(engine, order, Watcher(begun=begun, moved=show.moved), now=_now)
    finally:
        await engine.dispose()


def _judge(path: Path, delivery: Delivery) -> int:
    """Judge one file without the database; the status that taking it would end with at best."""
    rows, rejected, warnings = 0, 0, Counter[str]()
    sentence: str | None = None
    try:
        reading = Reading(
            path=path,
            format=_format(path, delivery),
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
            _progress(Console(stderr=True), path) as show,
            Rejects(_rejects(path, delivery), 0) as list_of_rejects,
        ):
            for chunk in chunks_of(reading):
                list_of_rejects.add(chunk.rejects)
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


def _report(path: Path, job: Job, delivery: Delivery) -> None:
    print(
        f"{path.name}: {job.rows:,} rows: {job.created:,} created, {job.updated:,} updated, "
        f"{job.unchanged:,} unchanged, {job.rejected:,} rejected."
    )
    if job.rejected:
        print(f"  Why rows were rejected: {_rejects(path, delivery)}")
    _print_warnings(Counter(job.warnings), delivery)


def _print_warnings(warnings: Counter[str], delivery: Delivery) -> None:
    for kind, count in sorted(warnings.items()):
        print(f"  Warning {kind}, from {delivery.source.source_id}: {count:,}")


def _format(path: Path, delivery: Delivery) -> str:
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    found = delivery.format or _BY_NAME.get(name.suffix.lower())
    if found is None:
        raise FileRefused("The name does not say what the file is; say --format.")
    return found


def _rejects(path: Path, delivery: Delivery) -> Path:
    folder = path.parent if delivery.rejects is None else delivery.rejects
    return folder / f"{path.name}.{delivery.dataset}.rejects.csv"


def _vault_keys(settings: IntakeSettings) -> str:
    try:
        text = settings.vault_keys.read_text(encoding="utf-8")
        VaultKeys.parse(text)
    except (OSError, UnicodeDecodeError, VaultKeysError):
        raise SettingsError(
            f"XINQIAO_VAULT_KEYS names {settings.vault_keys}, which cannot be read as a file of "
            "vault keys: it must be the gateway's own."
        ) from None
    return text


async def _source(connection: AsyncConnection, client_id: str, dataset: str) -> Source:
    return await source_of(connection, client_id, dataset, now=_now())


class _Show:
    """A bar: first the file's digest, then its rows."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._digest = progress.add_task("digest", total=size, rows="")
        self._rows = progress.add_task("rows", total=size, rows="", visible=False)

    def read(self, count: int) -> None:
        """So many more bytes are in the digest."""
        self._progress.advance(self._digest, count)

    def moved(self, job: Job, position: int) -> None:
        """A chunk was committed."""
        self.at(position, job.rows)

    def at(self, position: int, rows: int) -> None:
        """So far in the file, and so many rows."""
        self._progress.update(self._digest, visible=False)
        self._progress.update(self._rows, completed=position, rows=f"{rows:,} rows", visible=True)


@contextmanager
def _progress(console: Console, path: Path) -> Iterator[_Show]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )
    size = path.stat().st_size if path.is_file() else 0
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield _Show(progress, size)


def _now() -> datetime:
    return datetime.now(UTC)
