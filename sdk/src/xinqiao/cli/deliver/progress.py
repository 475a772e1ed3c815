"""Progress on the terminal: bytes that were read or sent, or what is being waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from xinqiao.cli import _printing
from xinqiao.cli._language import Language

from .summary import note
from .texts import text

INTERRUPTED: Final = 130


@contextmanager
def resumable(language: Language) -> Iterator[None]:
    """Say, where the command is interrupted, that the same command goes on."""
    try:
        yield
    except KeyboardInterrupt:
        note(text("interrupted", language), style="yellow")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def bytes_bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar for a file of this length; hidden without a terminal. Yields a setter of the position."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with progress_bars(*columns) as bars:
        task = bars.add_task(label, total=length)
        yield lambda position: bars.update(task, completed=position)


@contextmanager
def spinner(label: str) -> Iterator[Callable[[str], None]]:
    """A line that moves while something is waited for. Yields a setter of its text."""
    with progress_bars(SpinnerColumn(), TextColumn("{task.description}")) as bars:
        task = bars.add_task(label, total=None)
        yield lambda said: bars.update(task, description=said)


def progress_bars(*columns: ProgressColumn) -> Progress:
    """Bars beside the output; hidden without a terminal."""
    console = _printing.notes
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
