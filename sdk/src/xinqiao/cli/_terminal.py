"""Console of the command, on which no text can steer the terminal."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType

_STEERING: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def printable(said: str) -> str:
    """A text with marks for what would steer a terminal; newlines stay."""
    if said.isprintable():
        return said
    return "".join(
        "\ufffd" if each != "\n" and unicodedata.category(each) in _STEERING else each
        for each in said
    )


def plain(name: str) -> str:
    """A name without the characters that would steer a terminal."""
    return "".join(each for each in name if unicodedata.category(each) not in _STEERING)


class Terminal(Console):
    """Console that shows marks for control characters, since what it prints is foreign."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render to segments; those of the console itself, as of a progress bar, stay."""
        for each in super().render(renderable, options):
            yield each if each.control else Segment(printable(each.text), each.style)
