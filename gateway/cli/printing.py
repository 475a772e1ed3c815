"""Output of operators' commands: unabridged, line by line, with no markup from data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text


def print_members(members: Mapping[str, object]) -> None:
    """Print one line per member, nested members indented, and an empty line."""
    console = Console(soft_wrap=True, emoji=False)
    for name, value in members.items():
        if isinstance(value, dict):
            console.print(f"{name}:", markup=False, highlight=False)
            for inner, each in value.items():
                console.print(f"  {inner}: {_flat(each)}", markup=False, highlight=False)
        else:
            console.print(f"{name}: {_flat(value)}", markup=False, highlight=False)
    console.print()


def print_table(
    columns: Sequence[str],
    rows: Iterable[Iterable[object]],
    *,
    title: str | None = None,
    figures: int = 0,
) -> None:
    """Print a table without truncation; its last `figures` columns are right-aligned.

    Into a file or another command it goes line by line, with tabs, so that nothing is folded.
    """
    console = Console(emoji=False)
    if not console.is_terminal:
        lines = ("\t".join(map(_flat, row)) for row in (columns, *rows))
        print(*filter(None, (title,)), *lines, sep="\n")
        return
    table = Table(title=title)
    for place, name in enumerate(columns, 1 - len(columns)):
        right = place > -figures
        table.add_column(Text(_flat(name)), overflow="fold", justify="right" if right else "left")
    for row in rows:
        table.add_row(*(Text(_flat(each)) for each in row))
    console.print(table)


@contextmanager
def counting(what: str, total: int, console: Console) -> Iterator[Callable[[int], None]]:
    """Progress bar; yields the function that updates it."""
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


def _flat(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_flat, value)) or "-"
    if isinstance(value, dict):
        return "; ".join(f"{name} {_flat(each)}" for name, each in value.items())
    return "-" if value is None else _escape(str(value))


def _escape(text: str) -> str:
    """Control and bidirectional characters as escapes."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
