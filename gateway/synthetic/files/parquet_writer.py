"""Streaming Parquet writer of a dataset file, in row groups; needs the extra `[parquet]`."""

from collections.abc import Mapping
from io import RawIOBase
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.db.engine import to_json

ROW_GROUP: Final = 20_000
_ARROW_TYPES: Final = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "texts": pa.list_(pa.string()),
}


class ParquetRows:
    """Rows of a Parquet file; days, decimals and indicators are texts in their one form.

    `columns` gives each column's field type of the catalogue.
    """

    def __init__(self, file: RawIOBase, columns: Mapping[str, str]) -> None:
        self._schema = pa.schema(
            [(name, _ARROW_TYPES.get(kind, pa.string())) for name, kind in columns.items()]
        )
        self._in_json = [name for name, kind in columns.items() if kind == "indicators"]
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Mapping[str, Any]] = []

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one row."""
        as_text = {name: to_json(row[name]) for name in self._in_json if row.get(name)}
        self._rows.append({**row, **as_text} if as_text else row)
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()
