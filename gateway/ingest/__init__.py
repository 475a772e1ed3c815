"""Intake: each delivered row is judged by itself, and what is taken is taken whole or not at all.

`judging` is pure, and `columns` does the same for many rows at once, if nothing is to be said of them;
`taking` puts a batch into the caller's transaction; `ingesting` takes files.
"""

from typing import TYPE_CHECKING, Any

from gateway.ingest.results import BatchResult, RowOutcome, RowWarning, Source
from gateway.ingest.validate_row import RowValidator

if TYPE_CHECKING:
    from gateway.ingest.ingest_batch import take

__all__ = ["BatchResult", "RowOutcome", "RowValidator", "RowWarning", "Source", "take"]


def __getattr__(name: str) -> Any:  # `take`, when it is first asked for
    """A process that reads a file does without the database, and without what speaks to it."""
    if name != "take":
        raise AttributeError(name)
    from gateway.ingest.ingest_batch import take  # noqa: PLC0415

    return take
