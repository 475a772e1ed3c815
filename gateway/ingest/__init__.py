"""Ingest: parse, validate and merge delivered rows, from API batches and from files.

`readers` give the rows of a file, `validation` checks them (pure), `merge` writes them into records.
`ingest_batch` does so for a batch in the caller's transaction, `ingest_file` for a file chunk by chunk.
Beside them: `actions` of sources on their records, `row_lists` of what was rejected or warned of, and the
`comparison` of two sources.
"""

from typing import TYPE_CHECKING, Any

from gateway.ingest.results import BatchResult, RowOutcome, RowWarning, Source
from gateway.ingest.validation.validate_row import RowValidator

if TYPE_CHECKING:
    from gateway.ingest.ingest_batch import ingest_rows

__all__ = ["BatchResult", "RowOutcome", "RowValidator", "RowWarning", "Source", "ingest_rows"]


def __getattr__(name: str) -> Any:  # `ingest_rows`, on first use
    """Import `ingest_rows` lazily: reader processes do not load the database code."""
    if name != "ingest_rows":
        raise AttributeError(name)
    from gateway.ingest.ingest_batch import ingest_rows  # noqa: PLC0415

    return ingest_rows
