"""The rows of a delivered file, read as intake reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.creditfile.intake.columns import Row
from gateway.creditfile.intake.reading_csv import rows_of_csv
from gateway.creditfile.intake.reading_ndjson import rows_of_ndjson
from gateway.creditfile.intake.reading_parquet import rows_of_parquet
from gateway.creditfile.intake.texts import Encoding
from gateway.creditfile.intake.unpacking import FileRefused, Unpacked
from gateway.creditfile.schema import DatasetOf

_PACKED: Final = frozenset({".gz", ".zst"})
_NDJSON: Final = frozenset({".ndjson", ".jsonl"})


def delivered(path: Path, dataset: DatasetOf, encoding: Encoding = "utf-8") -> Iterator[Row]:
    """Each row; a `Problem` in place of one that cannot be read. `FileRefused` says why no further."""
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    ending = name.suffix.lower()
    with Unpacked(path) as source:
        if source.is_parquet:
            yield from rows_of_parquet(source, dataset)
        elif ending == ".csv":
            yield from rows_of_csv(source, dataset, encoding)
        elif ending in _NDJSON:
            yield from rows_of_ndjson(source, encoding)
        else:
            raise FileRefused(f"{path.name} is neither .csv, .ndjson nor Parquet.")
