"""Printing on the terminal (rich): lines, rows and headings to stdout, notes to stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from xinqiao.cli._terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

out: Final = Terminal(emoji=False, markup=False)
notes: Final = Terminal(stderr=True, emoji=False, markup=False)


def rows(told: Mapping[str, str]) -> None:
    """Print labels and values in two columns."""
    width = max(map(cell_len, told), default=0)
    for label, value in told.items():
        row(label, Text(value), width=width)


def line(said: str, *, style: str = "") -> None:
    """Print a line."""
    out.print(said, style=style, highlight=False, soft_wrap=True)


def note(said: str, *, style: str = "dim") -> None:
    """Print a note, beside the output."""
    notes.print(said, style=style, highlight=False, soft_wrap=True)


def heading(said: str) -> None:
    """Print a heading."""
    out.print(said, style="bold", highlight=False, soft_wrap=True)


def row(label: str, value: Text, *, width: int) -> None:
    """Print a label, padded to the width, and a value."""
    padded = label + " " * (width - cell_len(label))
    out.print(Text(f"  {padded}  ", style="cyan").append_text(value), soft_wrap=True)
