"""Rows of a Parquet file, where pyarrow is installed."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from .own_rows import OwnRows, ReadOptions, UnreadableError
from .workbook_rows import cell_text


def read_parquet(options: ReadOptions, _numbers: Container[int]) -> OwnRows:
    """Rows in the file's order."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - not every machine has it
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ModuleNotFoundError:
        raise UnreadableError("no_pyarrow") from None
    stream = options.path.open("rb")
    try:
        file = pq.ParquetFile(stream, pre_buffer=False)
    except (pa.ArrowException, OSError):
        stream.close()
        raise UnreadableError("no_header") from None
    return OwnRows(file.schema_arrow.names, _items(file), _cells, stream.close)


def _items(file: Any) -> Iterator[tuple[Any, int]]:
    """Batches with places in them, converted only where they are wanted."""
    with suppress(OSError, ValueError):  # a damaged file ends where it breaks
        for batch in file.iter_batches(use_threads=False):
            yield from ((batch, place) for place in range(batch.num_rows))


def _cells(item: tuple[Any, int]) -> Sequence[str]:
    batch, place = item
    return [_value(column, place) for column in batch.columns]


def _value(column: Any, place: int) -> str:
    try:
        return _text(column[place].as_py())
    except (ValueError, OverflowError):  # bytes that are no value of the column's type
        return "\ufffd"


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value.isoformat() if type(value) is date else cell_text(value)
