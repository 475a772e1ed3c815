"""Rows of a Parquet file, batch by batch; refused if a column's type does not fit its field."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.creditfile.catalogue_schema import DatasetDefinition
from gateway.creditfile.record_mapping import FieldProblem
from gateway.ingest.dataset_rules import SOURCE_TIME
from gateway.ingest.decompression import DecompressedFile, FileRefused
from gateway.ingest.header import columns_of_header
from gateway.ingest.row_reader import RowReader
from gateway.ingest.validate_columns import Columns, Row, RowParser, columns_of_rows

PARQUET_BATCH_ROWS: Final = 2_000
MAX_COLUMN_BYTES: Final = 256 << 20
"""Declared unpacked bytes of one column in one row group."""
RATIO_FREE_ROWS: Final = 1_000_000
MAX_ROWS_PER_BYTE: Final = 8
"""Derived from the ratio limit of 250 and a row of at least 30 bytes."""
_MOST_METADATA: Final = 16 << 20
_BUFFER: Final = 1 << 20
_MOST_TYPE: Final = 40
_UNREADABLE: Final = object()
_BROKEN: Final = (pa.ArrowException, ValueError, OverflowError)
"""Raised by a cell that is not a value of its type, such as invalid UTF-8 or an impossible date."""

_IS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "date": (lambda t: pa.types.is_date(t) or _is_text(t), "a date, or text"),
    "boolean": (pa.types.is_boolean, "a boolean"),
    "integer": (pa.types.is_integer, "a whole number"),
    "decimal": (lambda t: pa.types.is_decimal(t) or _is_text(t), "a decimal, or text"),
    "texts": (lambda t: pa.types.is_list(t) and _is_text(t.value_type), "a list of texts"),
}


def read_parquet(source: DecompressedFile, dataset: DatasetDefinition) -> RowReader:
    """The rows in the file's order."""
    with _errors_as_refusal():
        file = pq.ParquetFile(
            source.raw,
            buffer_size=_BUFFER,
            pre_buffer=False,
            thrift_string_size_limit=_MOST_METADATA,
            thrift_container_size_limit=_MOST_METADATA,
        )
        _check_size(file.metadata, source.size)
        schema = file.schema_arrow
        columns = columns_of_header(schema.names, dataset)
        _check_types(schema, columns, dataset)

    def read(item: tuple[_Batch, int]) -> Row:
        batch, index = item
        with _errors_as_refusal():
            return batch.row(index)

    def read_columns(items: Sequence[tuple[_Batch, int]]) -> Columns | None:
        try:
            return columns_of_rows(map(read, items))
        except FileRefused:  # rows before the damage may still be valid
            return None

    return RowReader(source, _items(file, columns), RowParser(read=read, columns=read_columns))


class _Batch:
    """A batch of rows, converted to Python values on first access."""

    def __init__(self, batch: Any, columns: tuple[str, ...]) -> None:  # pyarrow's batch
        self._batch = batch
        self._columns = columns
        self._values: list[list[Any]] | None = None

    def row(self, place: int) -> Row:
        """The row at this index."""
        if self._values is None:
            named = zip(self._batch.columns, self._columns, strict=True)
            self._values = [_values(column, name) for column, name in named]
        row = dict(zip(self._columns, [each[place] for each in self._values], strict=True))
        for name, value in row.items():
            if value is _UNREADABLE:
                return FieldProblem(field=name, reason="cannot be read")
        return row


def _items(file: Any, columns: tuple[str, ...]) -> Iterator[tuple[_Batch, int]]:
    with _errors_as_refusal():
        for batch in file.iter_batches(batch_size=PARQUET_BATCH_ROWS, use_threads=False):
            some = _Batch(batch, columns)
            yield from ((some, place) for place in range(batch.num_rows))


@contextmanager
def _errors_as_refusal() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise FileRefused(
            "The file is damaged, or no Parquet file: it cannot be read any further."
        ) from None


def _values(column: Any, name: str) -> list[Any]:  # pyarrow's array
    """Column values as JSON has them; `_UNREADABLE` in place of an invalid cell."""
    try:
        return _as_json(column, name)
    except _BROKEN:
        return [_cell(column.slice(place, 1), name) for place in range(len(column))]


def _cell(column: Any, name: str) -> Any:  # of a column of one
    try:
        return _as_json(column, name)[0]
    except _BROKEN:
        return _UNREADABLE


def _as_json(column: Any, name: str) -> list[Any]:
    cells: list[Any] = column.to_pylist()
    if pa.types.is_date(column.type) or pa.types.is_decimal(column.type):
        return [None if each is None else _plain(each) for each in cells]
    if name == SOURCE_TIME and pa.types.is_timestamp(column.type):
        return [None if each is None else each.astimezone(UTC).isoformat() for each in cells]
    return cells


def _plain(value: date | datetime | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()[:10]


def _check_size(metadata: Any, size: int) -> None:
    """Refuse row groups too large to read in bounded memory, and implausible row counts."""
    if metadata.num_rows > max(RATIO_FREE_ROWS, MAX_ROWS_PER_BYTE * size):
        raise FileRefused(
            "The file has more rows than one of its size holds, which no delivery does."
        )
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            if group.column(place).total_uncompressed_size > MAX_COLUMN_BYTES:
                raise FileRefused(
                    f"A row group of the file is too large: write groups of less than "
                    f"{MAX_COLUMN_BYTES >> 20} MiB per column."
                )


def _check_types(schema: Any, columns: tuple[str, ...], dataset: DatasetDefinition) -> None:
    types = {each.name: each.type for each in dataset.fields}
    for field, name in zip(schema, columns, strict=True):
        fits, wanted = _IS.get(types.get(name, "text"), (_is_text, "text"))
        is_time = name == SOURCE_TIME and pa.types.is_timestamp(field.type) and field.type.tz
        if not fits(field.type) and not is_time:
            kind = str(field.type)[:_MOST_TYPE]  # a nested type's name is unbounded
            raise FileRefused(f"The column {name} has the type {kind}; it must be {wanted}.")


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
