"""Reading of a delivered file without a database: its lines, rejected rows and refusal."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from gateway.ingest.chunk_reader import Chunk, ReadPlan, read_chunks
from gateway.ingest.config import IngestConfig
from gateway.ingest.readers.decompression import FileRefused
from gateway.ingest.results import RowWarning, Source
from gateway.ingest.row_lists.encoding import Listed
from gateway.ingest.row_lists.wording import RowWording
from gateway.pages.i18n import Language
from gateway.privacy.field_encryption import Vault
from tests.creditfile_builders import CATALOGUE, TODAY

KEYS: Final = Vault.generate_keys()


class ReadResult:
    """Result of a file: lines by row, rejected rows, and the error that stopped it."""

    def __init__(self, chunks: list[Chunk], refused: str | None) -> None:
        self.chunks = chunks
        self.refused = refused

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.chunks)

    @property
    def lines(self) -> list[list[str]]:
        """Lines without random ids, by row."""
        lines = [
            line.split("\t")
            for c in self.chunks
            for line in c.payload.decode().splitlines()
            if line
        ]
        return sorted(([*each[:3], *each[4:]] for each in lines), key=lambda line: int(line[0]))

    @property
    def rejects(self) -> list[tuple[str, ...]]:
        """Row, field and reason."""
        return [(each["row"], each["field"], each["reason"]) for each in self.rejects_in("en")]

    def rejects_in(self, language: Language, dataset: str = "penalty") -> list[Listed]:
        """Rejected rows, in words."""
        lines = b"".join(each.rejects for each in self.chunks).decode()
        return list(RowWording(CATALOGUE, dataset, language).rejects(lines))

    def warnings_in(self, language: Language, dataset: str = "penalty") -> list[Listed]:
        """Warnings, in words."""
        lines = b"".join(each.warned for each in self.chunks).decode()
        return list(RowWording(CATALOGUE, dataset, language).warnings(lines))

    @property
    def warned(self) -> dict[RowWarning, int]:
        return {kind: n for each in self.chunks for kind, n in each.warnings.items()}


def make_plan(path: Path, **changed: Any) -> ReadPlan:
    """A plan for a CSV file of penalties, with changes."""
    values: dict[str, Any] = {
        "source": Source(source_id="market", name="数源单位"),
        "dataset": "penalty",
        "catalogue": CATALOGUE,
        "vault_keys": KEYS,
        "chunk_rows": 1000,
        **changed,
    }
    names = {each.name for each in fields(IngestConfig)}
    config = IngestConfig(**{name: values.pop(name) for name in names & values.keys()})
    return ReadPlan(**{"path": path, "format": "csv", "today": TODAY, "config": config, **values})


def reader_in(folder: Path) -> Callable[..., ReadResult]:
    """Reader of bytes as a file of penalties in this folder."""

    def reading(content: bytes | str, form: str = "csv", **changed: Any) -> ReadResult:
        path = folder / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        stream = read_chunks(make_plan(path, format=form, **changed))
        chunks: list[Chunk] = []
        while True:
            try:
                chunks.append(next(stream))
            except StopIteration:
                return ReadResult(chunks, None)
            except FileRefused as refused:
                return ReadResult(chunks, str(refused))

    return reading


Reader = Callable[..., ReadResult]
