"""Findings of `compare` about one source: counts from its CSV, stored for a month."""

import csv
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.data_quality.figures import Count, Fault
from gateway.data_quality.kept_figures import drop_kept
from gateway.data_quality.month import Month
from gateway.db.statements import Statement

COLUMNS: Final = frozenset({"kind", "uscc", "key", "side"})
_FAULT_OF: Final = {"missing": Fault.ABSENT, "differs": Fault.DIFFERS}
"""Lateness and ends of publicity are counted when the records are received."""

_CLEAR: Final = Statement("""
DELETE FROM comparison_count
 WHERE month = :month AND source_id = :source AND dataset = :dataset""")
_KEEP: Final = Statement("""
INSERT INTO comparison_count (month, source_id, dataset, fault, records, enterprises)
VALUES (:month, :source, :dataset, :fault, :records, :enterprises)""")


class NotFindingsError(ValueError):
    """The file is no CSV of findings that `compare` has written."""


def count_findings(lines: Iterable[str], side: str) -> Mapping[Fault, Count]:
    """Facts absent at `side`, and pairs that differ, each counted once. Raises `NotFindingsError`."""
    reader = csv.DictReader(lines)
    if not set(reader.fieldnames or ()) >= COLUMNS:
        raise NotFindingsError(NotFindingsError.__doc__)
    facts: dict[Fault, set[tuple[str, str]]] = {fault: set() for fault in _FAULT_OF.values()}
    for row in reader:
        fault = _FAULT_OF.get(row["kind"])
        if fault is not None and row["side"] in {"", side}:
            facts[fault].add((row["uscc"], row["key"]))
    return {
        fault: Count(records=len(found), enterprises=len({uscc for uscc, _ in found}))
        for fault, found in facts.items()
    }


async def keep_counts(
    connection: AsyncConnection,
    month: Month,
    source_id: str,
    dataset: str,
    counts: Mapping[Fault, Count],
) -> None:
    """Store the counts in place of those of an earlier comparison of the month."""
    key: dict[str, Any] = {"month": month.first_day, "source": source_id, "dataset": dataset}
    await drop_kept(connection, month, source_id)
    await connection.execute(_CLEAR, key)
    for fault, count in counts.items():
        found = {"records": count.records, "enterprises": count.enterprises}
        await connection.execute(_KEEP, {**key, "fault": fault.value, **found})
