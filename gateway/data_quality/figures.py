"""Figures of one source, month and dataset: counts of records and of the enterprises that they are of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """Kind of fault."""

    LATE = "late"
    """Received after the dataset's term."""
    MISSING = "missing"
    """Received without a recommended field."""
    CHECK_CHARACTER = "check_character"
    """Received under a USCC whose check character is wrong."""
    PUBLICITY_END = "publicity_end"
    """Received with another end of publicity than the rules give (R2)."""
    UPHELD = "upheld"
    """An objection to it was upheld, wholly or in part."""
    ABSENT = "absent"
    """Known to the source that it was compared with, and not delivered."""
    DIFFERS = "differs"
    """Delivered otherwise than by the source that it was compared with. No part of the score."""
    REJECTED = "rejected"
    """A row of a file that was not taken. No part of the score."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FaultKind:
    """A kind of fault, and the field that is missing."""

    fault: Fault
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Records, the enterprises that they are of, and the enterprises of the rest of the same whole."""

    records: int = 0
    enterprises: int = 0
    others: int = 0
    """Enterprises with a record of the whole that is not counted here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFigures:
    """Figures of one source and dataset in a month: records delivered, and faults found in them."""

    dataset: str
    received: Count = Count()
    """Records first received in the month, as they were first received."""
    dated: Count = Count()
    """Those whose term can be judged; the others are undated, or stock."""
    decided: Count = Count()
    """Objections that became final in the month, but for those that were taken back."""
    corrected: Count = Count()
    """Corrections by the source itself. No fault."""
    file_rows: int = 0
    """Rows of the files whose ingest began in the month."""
    faults: Mapping[FaultKind, Count] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True if there is anything to report."""
        counts = (self.received, self.decided, self.corrected, *self.faults.values())
        return bool(self.file_rows) or any(each.records for each in counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFigures:
    """Figures of a dataset in the form in which they are reported; `hidden` counts are not exact."""

    dataset: str
    received: int = 0
    dated: int = 0
    decided: int = 0
    corrected: int = 0
    file_rows: int = 0
    faults: Mapping[FaultKind, int] = field(default_factory=dict)
    hidden: frozenset[FaultKind] = frozenset()
    """Faults of too few enterprises, reported as none, or of all but too few, reported as of all."""

    def of(self, *kinds: Fault) -> int:
        """Sum of the faults of these kinds."""
        return sum(count for kind, count in self.faults.items() if kind.fault in kinds)

    def worst_first(self) -> Iterator[tuple[FaultKind, int]]:
        """Faults that were found, the most frequent first."""
        found = ((kind, count) for kind, count in self.faults.items() if count)
        yield from sorted(found, key=lambda each: (-each[1], each[0]))
