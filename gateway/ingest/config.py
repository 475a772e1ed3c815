"""Ingest configuration: source, dataset, catalogue, encryption keys, encoding and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.creditfile.catalogue import Catalogue
from gateway.ingest.readers.text_encoding import DeclaredEncoding
from gateway.ingest.results import Source

DEFAULT_CHUNK_ROWS: Final = 10_000
MAX_REJECTED: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestConfig:
    """Options with which a source's files of a dataset are read and merged; also sent to reader processes."""

    source: Source
    dataset: str
    catalogue: Catalogue
    vault_keys: str = field(repr=False)
    encoding: DeclaredEncoding = "utf-8"
    columns: Mapping[str, str | None] = field(default_factory=dict)
    """Fields by the department's own names of columns; None: not kept."""
    ignore_unknown: bool = False
    """True if columns that the catalogue does not know are left out, else the file is refused."""
    sheet: str | None = None
    """The sheet of a workbook that is read; None: the only one whose header is known."""
    chunk_rows: int = DEFAULT_CHUNK_ROWS
    """Rows in one transaction."""
    max_rejected: int = MAX_REJECTED
    """Rejected rows after which a file is refused."""
