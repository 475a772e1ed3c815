"""Formats of delivered files, and the endings of names that say them."""

from typing import Final

FILE_FORMATS: Final = ("csv", "ndjson", "parquet", "xlsx", "xls")
WORKBOOKS: Final = frozenset({"xlsx", "xls"})
PACKED: Final = (".gz", ".zst", ".zstd")
"""Endings of packed files."""
_BY_ENDING: Final = {
    **dict.fromkeys(("csv", "tsv", "txt"), "csv"),
    **dict.fromkeys(("ndjson", "jsonl", "json"), "ndjson"),
    "parquet": "parquet",
    **dict.fromkeys(("xlsx", "xlsm"), "xlsx"),
    "xls": "xls",
}


def format_of_name(name: str) -> str | None:
    """The format that a file's name says; None if it says none. It is never guessed from contents."""
    lower = name.lower()
    for ending in PACKED:
        lower = lower.removesuffix(ending)
    return _BY_ENDING.get(lower.rpartition(".")[2])
