"""Base class of row readers: take, give back and skip rows of a file of any format."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol

from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.readers.header import Header
from gateway.ingest.rows import Row, RowParser

MAX_TAKEN_BYTES: Final = 4 << 20
"""Unpacked bytes after which a call of `take` returns."""


class ReadSource(Protocol):
    """Source of a reader: the position that it has reached."""

    unpacked: int


class RowReader:
    """Sequential reader of a file's rows."""

    def __init__(
        self,
        source: ReadSource,
        items: Iterator[Any],
        parser: RowParser,
        header: Header | None = None,
    ) -> None:
        self.parser = parser
        self.header = header
        """The file's header; None where rows name their fields."""
        self._source = source
        self._items = items
        self._begun = 0
        self._returned: list[Any] = []
        self._refused: FileRefused | None = None

    @property
    def names(self) -> Mapping[str, str] | None:
        """Names of the file's columns by field; None where they are the codes."""
        return self.header.name_of if self.header else None

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of columns that are not kept, as far as the file has been read."""
        return self.header.ignored if self.header else ()

    def take(self, most: int) -> list[Any]:
        """The next rows, at most `most`; fewer where the file ends or is refused. `FileRefused` is
        raised by the next call."""
        if self._returned:
            taken, self._returned = self._returned[:most], self._returned[most:]
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
        """Return the last taken rows, to be taken again."""
        self._returned = rows + self._returned

    def pass_over(self, count: int) -> int:
        """Skip rows cheaply; returns how many there were."""
        return sum(1 for _ in islice(self._items, count))

    def __iter__(self) -> Iterator[Row]:
        while taken := self.take(1):
            if not self.parser.passes_over(taken[0]):
                yield self.parser.read(taken[0])

    def _take(self, taken: list[Any], most: int) -> None:
        for item in islice(self._items, most):
            taken.append(item)
            if self._is_large():
                return

    def _is_large(self) -> bool:
        """True if the rows taken so far are large, so that fewer are taken."""
        return self._source.unpacked - self._begun > MAX_TAKEN_BYTES
