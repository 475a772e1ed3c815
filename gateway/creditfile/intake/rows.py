"""A file's rows, whatever its format."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from gateway.creditfile.intake.columns import Form, Row
from gateway.creditfile.intake.unpacking import FileRefused


class Rows:
    """The rows as they stand in the file, one after the other, and their form."""

    def __init__(self, items: Iterator[Any], form: Form) -> None:
        self.form = form
        self._items = items
        self._refused: FileRefused | None = None

    def take(self, most: int) -> list[Any]:
        """The next rows, fewer where the file ends or goes no further: then `FileRefused` is raised
        by the next call."""
        if self._refused is not None:
            raise self._refused
        taken: list[Any] = []
        try:
            self._take(taken, most)
        except FileRefused as refused:
            if not taken:
                raise
            self._refused = refused
        return taken

    def pass_over(self, count: int) -> int:
        """Pass over so many rows, which costs little; how many there were."""
        return sum(1 for _ in islice(self._items, count))

    def __iter__(self) -> Iterator[Row]:
        while taken := self.take(1):
            yield self.form.read(taken[0])

    def _take(self, taken: list[Any], most: int) -> None:
        for item in islice(self._items, most):
            taken.append(item)  # noqa: PERF402  # what comes before a refusal is kept
