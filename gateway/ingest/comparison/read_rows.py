"""The rows of a delivered file, read as intake reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.creditfile.catalogue_schema import DatasetOf
from gateway.ingest.csv_reader import rows_of_csv
from gateway.ingest.decompression import DecompressedFile, FileRefused
from gateway.ingest.ndjson_reader import rows_of_ndjson
from gateway.ingest.parquet_reader import rows_of_parquet
from gateway.ingest.text_encoding import Encoding
from gateway.ingest.validate_columns import Row

_PACKED: Final = frozenset({".gz", ".zst"})
_NDJSON: Final = frozenset({".ndjson", ".jsonl"})


def delivered(path: Path, dataset: DatasetOf, encoding: Encoding = "utf-8") -> Iterator[Row]:
    """Each row; a `Problem` in place of one that cannot be read. `FileRefused` says why no further."""
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    ending = name.suffix.lower()
    with DecompressedFile(path) as source:
        if source.is_parquet:
            yield from rows_of_parquet(source, dataset)
        elif ending == ".csv":
            yield from rows_of_csv(source, dataset, encoding)
        elif ending in _NDJSON:
            yield from rows_of_ndjson(source, encoding)
        else:
            raise FileRefused(f"{path.name} is neither .csv, .ndjson nor Parquet.")
