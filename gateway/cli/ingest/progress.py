"""Progress bar of `ingest`, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.ingest.job_store import Job


class ProgressBar:
    """Progress bar: first the file's digest, then its rows."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._digest = progress.add_task("digest", total=size, rows="")
        self._rows = progress.add_task("rows", total=size, rows="", visible=False)

    def read(self, count: int) -> None:
        """More bytes were hashed."""
        self._progress.advance(self._digest, count)

    def moved(self, job: Job, position: int) -> None:
        """A chunk was committed."""
        self.at(position, job.rows)

    def at(self, position: int, rows: int) -> None:
        """Update position in the file and number of rows."""
        self._progress.update(self._digest, visible=False)
        self._progress.update(self._rows, completed=position, rows=f"{rows:,} rows", visible=True)


@contextmanager
def progress_bar(console: Console, path: Path) -> Iterator[ProgressBar]:
    """The progress bar of one file; hidden without a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(),
    )
    size = path.stat().st_size if path.is_file() else 0
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bars:
        yield ProgressBar(bars, size)
