"""Rows of a Parquet file, batch by batch; refused if a column's type does not fit its field."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.creditfile.catalogue.column_names import IGNORED, SOURCE_TIME, SUBJECT_KIND
from gateway.creditfile.field_problems import FieldProblem, ProblemCode
from gateway.creditfile.local_dates import SHANGHAI
from gateway.ingest.readers.cells import number_text
from gateway.ingest.readers.decompression import DecompressedFile, FileRefused
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.row_reader import RowReader
from gateway.ingest.rows import Columns, Row, RowParser, columns_of_rows

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

_INDEX: Final = re.compile(r"__index_level_\d+__")
"""Column in which pandas keeps its row labels."""

Convert = Callable[[Any], Any]
"""Converts a cell that is not null to its JSON value."""


def read_parquet(source: DecompressedFile, header: HeaderReader) -> RowReader:
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
        types = {each.name: each.type for each in file.schema_arrow if not _INDEX.match(each.name)}
        names = [each.name for each in file.schema_arrow if each.name in types]
        found = header.read(names)
        columns = [
            _Column(name=name, field=field, convert=_converter(types[name], field, header))
            for name, field in zip(names, found.columns, strict=True)
            if field != IGNORED
        ]

    def read(item: tuple[_Batch, int]) -> Row:
        batch, index = item
        with _errors_as_refusal():
            return batch.row(index)

    def read_columns(items: Sequence[tuple[_Batch, int]]) -> Columns | None:
        try:
            return columns_of_rows(map(read, items))
        except FileRefused:  # rows before the damage may still be valid
            return None

    def is_passed_over(item: tuple[_Batch, int]) -> bool:
        with _errors_as_refusal():
            return header.is_passed_over(item[0].subject_kind(item[1]))

    has_kind = SUBJECT_KIND in found.columns
    parser = RowParser(
        read=read, columns=read_columns, is_passed_over=is_passed_over if has_kind else None
    )
    return RowReader(source, _items(file, columns), parser, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column that is kept: its name in the file, its field, and the conversion of its cells."""

    name: str
    field: str
    convert: Convert | None


class _Batch:
    """A batch of rows, converted to Python values on first access."""

    def __init__(self, batch: Any, columns: Sequence[_Column]) -> None:  # pyarrow's batch
        self._batch = batch
        self._columns = columns
        self._fields = [each.field for each in columns]
        self._values: list[list[Any]] | None = None

    def row(self, place: int) -> Row:
        """The row at this index."""
        row = dict(zip(self._fields, [each[place] for each in self._cells()], strict=True))
        for name, value in row.items():
            if value is _UNREADABLE:
                return FieldProblem(field=name, code=ProblemCode.UNREADABLE)
        row.pop(SUBJECT_KIND, None)
        return row

    def subject_kind(self, place: int) -> str:
        """Kind of subject of the row at this index."""
        kind = self._cells()[self._fields.index(SUBJECT_KIND)][place]
        return kind if isinstance(kind, str) else ""

    def _cells(self) -> list[list[Any]]:
        if self._values is None:
            self._values = [
                _values(self._batch.column(each.name), each.convert) for each in self._columns
            ]
        return self._values


def _items(file: Any, columns: Sequence[_Column]) -> Iterator[tuple[_Batch, int]]:
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
            "The file is damaged, or no Parquet file: it cannot be read any further.",
            "文件已损坏，或不是 Parquet 文件，无法继续读取。",
        ) from None


def _values(column: Any, convert: Convert | None) -> list[Any]:  # pyarrow's array
    """Column values as JSON has them; `_UNREADABLE` in place of an invalid cell."""
    try:
        return _as_json(column, convert)
    except _BROKEN:
        return [_cell(column.slice(place, 1), convert) for place in range(len(column))]


def _cell(column: Any, convert: Convert | None) -> Any:  # of a column of one
    try:
        return _as_json(column, convert)[0]
    except _BROKEN:
        return _UNREADABLE


def _as_json(column: Any, convert: Convert | None) -> list[Any]:
    cells: list[Any] = column.to_pylist()
    if convert is None:
        return cells
    return [None if each is None else convert(each) for each in cells]


def _check_size(metadata: Any, size: int) -> None:
    """Refuse row groups too large to read in bounded memory, and implausible row counts."""
    if metadata.num_rows > max(RATIO_FREE_ROWS, MAX_ROWS_PER_BYTE * size):
        raise FileRefused(
            "The file has more rows than one of its size holds, which no delivery does.",
            "文件的行数远超其大小所能容纳，不是正常的报送文件。",
        )
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            if group.column(place).total_uncompressed_size > MAX_COLUMN_BYTES:
                raise FileRefused(
                    f"A row group of the file is too large: write groups of less than "
                    f"{MAX_COLUMN_BYTES >> 20} MiB per column.",
                    f"文件的行组过大：每个行组每列应小于 {MAX_COLUMN_BYTES >> 20} MiB。",
                )


def _converter(kind: Any, field: str, header: HeaderReader) -> Convert | None:  # pyarrow's type
    """The conversion of a column's cells for this field; `FileRefused` if its type does not fit."""
    known = header.dataset.field_by_name.get(field)
    field_type = "time" if field == SOURCE_TIME else known.type if known else "text"
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_text(kind) or pa.types.is_null(kind):
        return header.cell_parsers((field,)).get(field)
    for fits, convert in _CONVERSIONS.get(field_type, _TEXT_CONVERSIONS):
        if fits(kind):
            return convert
    shown = str(kind)[:_MOST_TYPE]  # a nested type's name is unbounded
    en, zh = _WANTED.get(field_type, _WANTED["text"])
    raise FileRefused(
        f"The column {field} has the type {shown}; it must be {en}.",
        f"列 {field} 的类型为 {shown}；应为{zh}。",
    )


def _is_text(kind: Any) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def _is_list(kind: Any) -> bool:
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(kind) for test in tests) and (
        _is_text(kind.value_type) or pa.types.is_null(kind.value_type)
    )


def _has_zone(kind: Any) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz)


def _day(moment: datetime) -> str:
    """The day of a midnight, in Shanghai; other times are left for the validator to report."""
    local = moment if moment.tzinfo is None else moment.astimezone(SHANGHAI)
    return local.replace(tzinfo=None).isoformat().removesuffix("T00:00:00")


def _number(value: float) -> Any:
    """Number of a column that also has nulls, for which pandas makes it one of floats."""
    if math.isnan(value):
        return None
    return int(value) if value.is_integer() else value


_TEXT_CONVERSIONS: Final[tuple[tuple[Callable[[Any], bool], Convert | None], ...]] = (
    (pa.types.is_integer, str),
)
_CONVERSIONS: Final[Mapping[str, tuple[tuple[Callable[[Any], bool], Convert | None], ...]]] = {
    "date": ((pa.types.is_date, lambda day: day.isoformat()[:10]), (pa.types.is_timestamp, _day)),
    "time": ((_has_zone, lambda moment: moment.astimezone(UTC).isoformat()),),
    "boolean": ((pa.types.is_boolean, None),),
    "integer": ((pa.types.is_integer, None), (pa.types.is_float64, _number)),
    "decimal": (
        (pa.types.is_decimal, lambda number: f"{number:f}"),
        (pa.types.is_integer, str),
        (pa.types.is_float64, number_text),
    ),
    "texts": ((_is_list, None),),
}
_WANTED: Final = {
    "date": ("a date, or text", "日期或文本"),
    "time": ("a time with its zone, or text", "带时区的时间或文本"),
    "boolean": ("a boolean, or text", "布尔值或文本"),
    "integer": ("a whole number, or text", "整数或文本"),
    "decimal": ("a number, or text", "数字或文本"),
    "texts": ("a list of texts, or text", "文本列表或文本"),
    "indicators": ("text with a list in JSON", "内容为 JSON 列表的文本"),
    "text": ("text", "文本"),
}
