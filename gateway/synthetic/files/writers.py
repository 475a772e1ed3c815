"""Streaming writers of dataset files (CSV, NDJSON, Parquet) in the delivery format.

Columns: `uscc` unless it is a field of the dataset, the catalogue's field names, `source_time`.
In CSV an empty cell is an absent field, lists are separated by semicolons, and booleans are `true`
or `false`.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson
import zstandard

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.db.engine import to_json

if TYPE_CHECKING:
    from gateway.synthetic.files.parquet_writer import ParquetRows

_USCC: Final = "uscc"
_SOURCE_TIME: Final = "source_time"
_CELL_FORMATS: Final[Mapping[str, Callable[[Any], str]]] = {
    "boolean": lambda value: "true" if value else "false",
    "texts": ";".join,
    "indicators": to_json,
}

Row = Mapping[str, Any]


class Format(StrEnum):
    """File formats; the text formats are compressed with Zstandard."""

    CSV = "csv"
    NDJSON = "ndjson"
    PARQUET = "parquet"

    @property
    def ending(self) -> str:
        """The file name extension."""
        return ".parquet" if self is Format.PARQUET else f".{self.value}.zst"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A finished file."""

    name: str
    dataset: str
    rows: int
    bytes: int
    sha256: str


class DatasetFile:
    """A dataset file being written; `close` returns its size and digest."""

    def __init__(self, path: Path, dataset: DatasetDefinition, form: Format) -> None:
        self._path, self._dataset = path, dataset.code
        self._file = _Digesting(path.open("wb"))
        self._rows_writer = _rows_writer(form, self._file, dataset)
        self._rows = 0

    def write(self, row: Row) -> None:
        """Write one row: the fields, `uscc` and `source_time`."""
        self._rows_writer.write(row)
        self._rows += 1

    def close(self) -> WrittenFile:
        """Finish the file."""
        self._rows_writer.close()
        self._file.close()
        return WrittenFile(
            name=self._path.name,
            dataset=self._dataset,
            rows=self._rows,
            bytes=self._file.bytes,
            sha256=self._file.digest.hexdigest(),
        )


def header_of(dataset: DatasetDefinition) -> tuple[str, ...]:
    """The columns of a dataset file."""
    names = tuple(field.name for field in dataset.fields)
    return (*(() if _USCC in names else (_USCC,)), *names, _SOURCE_TIME)


class _Digesting(io.RawIOBase):
    """A binary file that hashes what is written."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._below = file
        self.digest = hashlib.sha256()
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # a buffer
        self.digest.update(data)
        written = self._below.write(data)
        self.bytes += written
        return written

    def close(self) -> None:
        if not self.closed:
            self._below.close()
        super().close()


def _compressed(file: _Digesting) -> io.BufferedWriter:
    compressor = zstandard.ZstdCompressor(level=3)
    stream = compressor.stream_writer(file, closefd=False)  # type: ignore[arg-type]  # a stream all the same
    return io.BufferedWriter(stream, buffer_size=1 << 18)  # type: ignore[arg-type]  # a stream all the same


class _Csv:
    def __init__(self, file: _Digesting, dataset: DatasetDefinition) -> None:
        self._text = io.TextIOWrapper(_compressed(file), encoding="utf-8", newline="")
        self._write = csv.writer(self._text, lineterminator="\n").writerow
        self._header = header_of(dataset)
        types = {field.name: field.type for field in dataset.fields}
        self._odd = tuple(
            (place, _CELL_FORMATS[types[name]])
            for place, name in enumerate(self._header)
            if types.get(name) in _CELL_FORMATS
        )
        self._write(self._header)

    def write(self, row: Row) -> None:
        cells = list(map(row.get, self._header))
        for place, written in self._odd:
            if cells[place] is not None:
                cells[place] = written(cells[place])
        self._write(cells)

    def close(self) -> None:
        self._text.close()


class _Ndjson:
    def __init__(self, file: _Digesting) -> None:
        self._bytes = _compressed(file)

    def write(self, row: Row) -> None:
        self._bytes.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        self._bytes.close()


def _rows_writer(
    form: Format, file: _Digesting, dataset: DatasetDefinition
) -> "_Csv | _Ndjson | ParquetRows":
    if form is Format.CSV:
        return _Csv(file, dataset)
    if form is Format.NDJSON:
        return _Ndjson(file)
    from gateway.synthetic.files.parquet_writer import ParquetRows  # noqa: PLC0415  # an optional extra

    types = {field.name: field.type for field in dataset.fields}
    return ParquetRows(file, {name: types.get(name, "text") for name in header_of(dataset)})
