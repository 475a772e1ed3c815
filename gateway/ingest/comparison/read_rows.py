"""Rows of a delivered file for comparison, parsed as in ingest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.creditfile.catalogue_schema import DatasetDefinition
from gateway.ingest.csv_reader import read_csv
from gateway.ingest.decompression import DecompressedFile, FileRefused
from gateway.ingest.ndjson_reader import read_ndjson
from gateway.ingest.parquet_support import read_parquet
from gateway.ingest.text_encoding import Encoding
from gateway.ingest.validate_columns import Row

_PACKED: Final = frozenset({".gz", ".zst"})
_NDJSON: Final = frozenset({".ndjson", ".jsonl"})


def read_delivery(
    path: Path, dataset: DatasetDefinition, encoding: Encoding = "utf-8"
) -> Iterator[Row]:
    """Each row, or a `FieldProblem` in place of an unreadable one. Raises `FileRefused`."""
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    ending = name.suffix.lower()
    with DecompressedFile(path) as source:
        if source.is_parquet:
            yield from read_parquet(source, dataset)
        elif ending == ".csv":
            yield from read_csv(source, dataset, encoding)
        elif ending in _NDJSON:
            yield from read_ndjson(source, encoding)
        else:
            raise FileRefused(f"{path.name} is neither .csv, .ndjson nor Parquet.")
