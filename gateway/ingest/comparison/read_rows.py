"""Rows of a delivered file for comparison, parsed as in ingest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.ingest.readers.csv_reader import read_csv
from gateway.ingest.readers.decompression import DecompressedFile, FileRefused
from gateway.ingest.readers.header import HeaderReader
from gateway.ingest.readers.ndjson_reader import read_ndjson
from gateway.ingest.readers.parquet_support import read_parquet
from gateway.ingest.readers.text_encoding import DeclaredEncoding
from gateway.ingest.rows import Row

_PACKED: Final = frozenset({".gz", ".zst"})
_NDJSON: Final = frozenset({".ndjson", ".jsonl"})


def read_delivery(
    path: Path, catalogue: Catalogue, dataset: str, encoding: DeclaredEncoding = "utf-8"
) -> Iterator[Row]:
    """Each row, or a `FieldProblem` in place of an unreadable one. Raises `FileRefused`."""
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    ending = name.suffix.lower()
    header = HeaderReader(catalogue, dataset)
    with DecompressedFile(path) as source:
        if source.is_parquet:
            yield from read_parquet(source, header)
        elif ending == ".csv":
            yield from read_csv(source, header, encoding)
        elif ending in _NDJSON:
            yield from read_ndjson(source, header, encoding)
        else:
            raise FileRefused(
                f"{path.name} is neither .csv, .ndjson nor Parquet.",
                f"{path.name} 不是 .csv、.ndjson 或 Parquet 文件。",
            )
