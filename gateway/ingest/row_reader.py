"""A file's rows, whatever its format."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from gateway.ingest.decompression import DecompressedFile, FileRefused
from gateway.ingest.validate_columns import Form, Row

MOST_TAKEN: Final = 4 << 20
"""Bytes of the file, unpacked, after which no more rows are taken at once."""


class RowReader:
    """The rows as they stand in the file, one after the other, and their form."""

    def __init__(self, source: DecompressedFile, items: Iterator[Any], form: Form) -> None:
        self.form = form
        self._source = source
        self._items = items
        self._begun = 0
        self._back: list[Any] = []
        self._refused: FileRefused | None = None

    def take(self, most: int) -> list[Any]:
        """The next rows, fewer where the file ends or goes no further: then `FileRefused` is raised
        by the next call."""
        if self._back:
            taken, self._back = self._back[:most], self._back[most:]
            return taken
        if self._refused is not None:
            raise self._refused
        taken = []
        self._begun = self._source.unpacked
        try:
            self._take(taken, most)
        except FileRefused as refused:
            if not taken:
                raise
            self._refused = refused
        return taken

    def give_back(self, rows: list[Any]) -> None:
        """The last of those that were taken come again."""
        self._back = rows + self._back

    def pass_over(self, count: int) -> int:
        """Pass over so many rows, which costs little; how many there were."""
        return sum(1 for _ in islice(self._items, count))

    def __iter__(self) -> Iterator[Row]:
        while taken := self.take(1):
            yield self.form.read(taken[0])

    def _take(self, taken: list[Any], most: int) -> None:
        for item in islice(self._items, most):
            taken.append(item)
            if self._is_much():
                return

    def _is_much(self) -> bool:
        """Whether the rows that are being taken are large: then they are fewer."""
        return self._source.unpacked - self._begun > MOST_TAKEN
