"""Deliveries of any length are compared in bounded memory: rows with one key fall into one heap.

The heaps lie in a folder of their own (mode 0700) and are gone afterwards; personal fields are never
in them, only digests under a key that is forgotten.
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
    compared,
)
from gateway.ingest.results import AcceptedRow

HEAPS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonJob:
    """What is compared. `names` are those of the two sources, the left one first."""

    dataset: str
    names: tuple[str, str]
    period: Period = field(default_factory=Period)
    late_after: int = LATE_AFTER


class Comparing:
    """Iterate over it for the findings; `counts` are whole when it has ended."""

    def __init__(
        self,
        question: ComparisonJob,
        left: Iterable[Mapping[str, Any] | object],
        right: Iterable[Mapping[str, Any] | object],
        *,
        catalogue: Catalogue,
        today: date,
    ) -> None:
        """Each delivery is its rows as JSON values; what is no mapping could not be read."""
        self._question = question
        self._deliveries = left, right
        self._judge = RowValidator(catalogue, question.dataset, today=today)
        self._dataset = catalogue.dataset(question.dataset)
        self._secret = secrets.token_bytes(32)
        self.counts = Comparison(
            left=Side(name=question.names[0]), right=Side(name=question.names[1])
        )

    def __iter__(self) -> Iterator[Finding]:
        with TemporaryDirectory(prefix="xinqiao-compare-") as name:
            folders = [Path(name) / side for side in ("left", "right")]
            sides = (self.counts.left, self.counts.right)
            for folder, side, rows in zip(folders, sides, self._deliveries, strict=True):
                folder.mkdir()
                self._heap_up(rows, side, folder)
            for heap in range(HEAPS):
                left, right = (
                    _rows_in(folder / f"{heap}", side)
                    for folder, side in zip(folders, sides, strict=True)
                )
                yield from compared(left, right, self.counts, late_after=self._question.late_after)

    def _heap_up(self, rows: Iterable[Any], side: Side, folder: Path) -> None:
        with ExitStack() as stack:
            heaps = [stack.enter_context((folder / f"{n}").open("wb")) for n in range(HEAPS)]
            for each in rows:
                verdict = self._judge.judge(each) if isinstance(each, Mapping) else None
                if not isinstance(verdict, AcceptedRow):
                    side.unreadable += 1
                    continue
                row = self._row(verdict)
                if self._question.period.holds(row.decided_on):
                    heap = zlib.crc32(f"{row.uscc}|{row.key}".encode()) % HEAPS
                    heaps[heap].write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def _row(self, of: AcceptedRow) -> Row:
        decided, published = (
            of.fields.get(self._dataset.field_of.get(column, ""))
            for column in ("decided_on", "published_on")
        )
        published_on = date.fromisoformat(published) if published else None
        if published_on is None and of.source_time is not None:
            published_on = day_of(of.source_time)
        return Row(
            uscc=of.uscc,
            key=of.key,
            fields={n: held for n, held in of.fields.items() if n not in self._dataset.key},
            personal={name: self._digest(value) for name, value in of.personal.items()},
            decided_on=date.fromisoformat(decided) if decided else None,
            published_on=published_on,
            wrong_end=RowWarning.PUBLICITY_END in of.warnings,
        )

    def _digest(self, value: object) -> str:
        return hmac.new(self._secret, orjson.dumps(value), "sha256").hexdigest()


def _rows_in(heap: Path, side: Side) -> dict[Key, Row]:
    """The rows of one heap; of two with one key the last one counts, as in intake."""
    found: dict[Key, Row] = {}
    with heap.open("rb") as lines:
        for line in lines:
            said = orjson.loads(line)
            days = {
                name: date.fromisoformat(said[name]) if said[name] else None
                for name in ("decided_on", "published_on")
            }
            row = Row(**{**said, **days})
            side.twice += (row.uscc, row.key) in found
            found[row.uscc, row.key] = row
    heap.unlink()
    return found
