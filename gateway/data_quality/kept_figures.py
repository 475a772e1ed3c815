"""Kept figures of data quality: what was counted of a source's month, and when.

Counting reads all that a source delivered in the month; what is kept is one row. Figures of a month that is
over do not change (0072), so that those counted a day after its end are kept for good; others for sixty times
as long as their counting took.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.data_quality.figures import Count, DatasetFigures, Fault, FaultKind
from gateway.data_quality.month import Month
from gateway.db.engine import to_json
from gateway.db.locks import LockNamespace, lock_named, try_lock_named
from gateway.db.statements import Statement

SETTLED_AFTER: Final = timedelta(days=1)
"""After a month's end, whatever was received in it is committed."""
_TIMES_AS_LONG: Final = 60
LONGEST: Final = timedelta(hours=6)
_COUNTS: Final = ("received", "dated", "decided", "corrected")

_READ: Final = Statement("""
SELECT versions, counted_at, seconds, figures FROM quality_figures
 WHERE month = CAST(:month AS date) AND source_id = CAST(:source AS text)""")
_KEEP: Final = Statement("""
INSERT INTO quality_figures (month, source_id, versions, counted_at, seconds, figures)
VALUES (CAST(:month AS date), CAST(:source AS text), CAST(:versions AS text),
        CAST(:counted_at AS timestamptz), CAST(:seconds AS double precision), CAST(:figures AS jsonb))
ON CONFLICT (month, source_id) DO UPDATE
   SET versions = excluded.versions, counted_at = excluded.counted_at, seconds = excluded.seconds,
       figures = excluded.figures""")
_DROP: Final = Statement("""
DELETE FROM quality_figures
 WHERE month = CAST(:month AS date) AND source_id = CAST(:source AS text)""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInMonth:
    """Key of kept figures: source, month, and the versions of rules and catalogue."""

    source_id: str
    month: Month
    versions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFigures:
    """A source's figures of a month as they were counted at a moment, in `seconds`."""

    figures: Sequence[DatasetFigures]
    counted_at: datetime
    seconds: float

    @classmethod
    def of(cls, documents: Sequence[Any], counted_at: datetime, seconds: float) -> Self:
        """The figures in stored documents."""
        return cls(
            figures=[_figures(each) for each in documents], counted_at=counted_at, seconds=seconds
        )

    def is_current(self, month: Month, now: datetime) -> bool:
        """True if counting again would tell nothing new, or was done a short while ago."""
        if self.counted_at >= month.end + SETTLED_AFTER:
            return True
        age = now - self.counted_at
        return self.is_usable(month, now) and age < min(
            timedelta(seconds=self.seconds * _TIMES_AS_LONG), LONGEST
        )

    def is_usable(self, month: Month, now: datetime) -> bool:
        """False for what was counted while a month was running that is over now."""
        return now < month.end or self.counted_at >= month.end


async def read_kept(connection: AsyncConnection, wanted: SourceInMonth) -> KeptFigures | None:
    """The figures that are kept, by these rules and this catalogue."""
    values = {"month": wanted.month.first_day, "source": wanted.source_id}
    row = (await connection.execute(_READ, values)).one_or_none()
    if row is None or row.versions != wanted.versions:
        return None
    return KeptFigures.of(row.figures, row.counted_at, row.seconds)


async def keep(connection: AsyncConnection, wanted: SourceInMonth, counted: KeptFigures) -> None:
    """Keep figures in the place of earlier ones."""
    await connection.execute(
        _KEEP,
        {
            "month": wanted.month.first_day,
            "source": wanted.source_id,
            "versions": wanted.versions,
            "counted_at": counted.counted_at,
            "seconds": counted.seconds,
            "figures": to_json([document_of(each) for each in counted.figures]),
        },
    )


async def lock_month(connection: AsyncConnection, month: Month, source_id: str) -> None:
    """Lock the figures and findings of a source's month until the transaction ends."""
    await lock_named(connection, LockNamespace.QUALITY, _lock_name(month, source_id))


async def try_lock_month(connection: AsyncConnection, month: Month, source_id: str) -> bool:
    """Lock the same unless another session holds the lock; True if it was acquired."""
    return await try_lock_named(connection, LockNamespace.QUALITY, _lock_name(month, source_id))


def _lock_name(month: Month, source_id: str) -> str:
    return f"{month} {source_id}"


async def drop_kept(connection: AsyncConnection, month: Month, source_id: str) -> None:
    """Drop the figures of a month in which something is counted otherwise now."""
    await lock_month(connection, month, source_id)
    await connection.execute(_DROP, {"month": month.first_day, "source": source_id})


def document_of(figures: DatasetFigures) -> dict[str, Any]:
    """Figures as JSON values."""
    return {
        "dataset": figures.dataset,
        "file_rows": figures.file_rows,
        **{name: _numbers(getattr(figures, name)) for name in _COUNTS},
        "faults": [
            [kind.fault.value, kind.field, *_numbers(count)]
            for kind, count in figures.faults.items()
        ],
    }


def _figures(document: Mapping[str, Any]) -> DatasetFigures:
    return DatasetFigures(
        dataset=document["dataset"],
        file_rows=document["file_rows"],
        faults={
            FaultKind(fault=Fault(fault), field=field): _count(numbers)
            for fault, field, *numbers in document["faults"]
        },
        **{name: _count(document[name]) for name in _COUNTS},
    )


def _numbers(count: Count) -> list[int]:
    return [count.records, count.enterprises, count.others]


def _count(numbers: Sequence[int]) -> Count:
    records, enterprises, others = numbers
    return Count(records=records, enterprises=enterprises, others=others)
