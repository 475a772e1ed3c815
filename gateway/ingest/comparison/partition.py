"""Partitioned comparison of deliveries of any length in bounded memory: rows are hashed into files.

The files lie in a private temporary folder (mode 0700) and are deleted afterwards. They hold
digests of personal fields, under a random key that is not stored.
"""

import hmac
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.local_dates import day_of
from gateway.ingest import RowValidator, RowWarning
from gateway.ingest.comparison.compare import (
    LATE_AFTER,
    Comparison,
    Finding,
    Key,
    Period,
    Row,
    Side,
    compare_rows,
)
from gateway.ingest.results import AcceptedRow

PARTITIONS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonJob:
    """Parameters of a comparison; `names` are those of the left and the right source."""

    dataset: str
    names: tuple[str, str]
    period: Period = field(default_factory=Period)
    late_after: int = LATE_AFTER


class PartitionedComparison:
    """Iterable of findings; `counts` are complete when the iteration has ended."""

    def __init__(
        self,
        job: ComparisonJob,
        left: Iterable[Mapping[str, Any] | object],
        right: Iterable[Mapping[str, Any] | object],
        *,
        catalogue: Catalogue,
        today: date,
    ) -> None:
        """Each delivery is an iterable of rows as JSON values; anything else is an unreadable row."""
        self._job = job
        self._deliveries = left, right
        self._validator = RowValidator(catalogue, job.dataset, today=today)
        self._dataset = catalogue.dataset(job.dataset)
        self._secret = secrets.token_bytes(32)
        self.counts = Comparison(left=Side(name=job.names[0]), right=Side(name=job.names[1]))

    def __iter__(self) -> Iterator[Finding]:
        with TemporaryDirectory(prefix="xinqiao-compare-") as name:
            folders = [Path(name) / side for side in ("left", "right")]
            sides = (self.counts.left, self.counts.right)
            for folder, side, rows in zip(folders, sides, self._deliveries, strict=True):
                folder.mkdir()
                self._partition(rows, side, folder)
            for number in range(PARTITIONS):
                left, right = (
                    _read_partition(folder / f"{number}", side)
                    for folder, side in zip(folders, sides, strict=True)
                )
                yield from compare_rows(left, right, self.counts, late_after=self._job.late_after)

    def _partition(self, rows: Iterable[Any], side: Side, folder: Path) -> None:
        with ExitStack() as stack:
            files = [stack.enter_context((folder / f"{n}").open("wb")) for n in range(PARTITIONS)]
            for each in rows:
                verdict = self._validator.validate(each) if isinstance(each, Mapping) else None
                if not isinstance(verdict, AcceptedRow):
                    side.unreadable += 1
                    continue
                row = self._row(verdict)
                if self._job.period.holds(row.decided_on):
                    number = zlib.crc32(f"{row.uscc}|{row.key}".encode()) % PARTITIONS
                    files[number].write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def _row(self, row: AcceptedRow) -> Row:
        decided, published = (
            row.fields.get(self._dataset.field_of.get(column, ""))
            for column in ("decided_on", "published_on")
        )
        published_on = date.fromisoformat(published) if published else None
        if published_on is None and row.source_time is not None:
            published_on = day_of(row.source_time)
        return Row(
            uscc=row.uscc,
            key=row.key,
            fields={n: held for n, held in row.fields.items() if n not in self._dataset.key},
            personal={name: self._digest(value) for name, value in row.personal.items()},
            decided_on=date.fromisoformat(decided) if decided else None,
            published_on=published_on,
            wrong_end=RowWarning.PUBLICITY_END in row.warnings,
        )

    def _digest(self, value: object) -> str:
        return hmac.new(self._secret, orjson.dumps(value), "sha256").hexdigest()


def _read_partition(file: Path, side: Side) -> dict[Key, Row]:
    """Rows of one partition; of two with one key the last one counts, as in ingest."""
    found: dict[Key, Row] = {}
    with file.open("rb") as lines:
        for line in lines:
            values = orjson.loads(line)
            days = {
                name: date.fromisoformat(values[name]) if values[name] else None
                for name in ("decided_on", "published_on")
            }
            row = Row(**{**values, **days})
            side.twice += (row.uscc, row.key) in found
            found[row.uscc, row.key] = row
    file.unlink()
    return found
