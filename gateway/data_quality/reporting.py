"""Suppression of small counts (R16), and figures as their own source is told them. Pure.

A count of fewer than k enterprises is reported as none, and one of all but fewer than k as of all; every
score, sum and trend is computed from what is reported. So nothing that is published depends on the exact
value of a suppressed count, and no difference of published figures can undo it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from gateway.data_quality.figures import Count, DatasetFigures, Fault, ReportedFigures

_WHOLE_OF: Final[Mapping[Fault, str]] = {
    Fault.LATE: "dated",
    Fault.UPHELD: "decided",
    Fault.REJECTED: "file_rows",
}
"""The figure that a fault is a part of, where it is not the records received."""
_OF_NO_WHOLE: Final = frozenset({Fault.ABSENT, Fault.DIFFERS})
"""Faults whose whole, the facts that were compared, is no figure here."""


def exact(figures: DatasetFigures) -> ReportedFigures:
    """The figures as they are, for the source itself."""
    return ReportedFigures(
        dataset=figures.dataset,
        received=figures.received.records,
        dated=figures.dated.records,
        decided=figures.decided.records,
        corrected=figures.corrected.records,
        file_rows=figures.file_rows,
        faults={kind: count.records for kind, count in figures.faults.items()},
    )


def published(figures: DatasetFigures, least: int) -> ReportedFigures | None:
    """The figures for everybody else; `None` where the records are of fewer than `least` enterprises.

    A row of a file stands for an enterprise, since nothing is kept of the rows that were rejected.
    """
    if figures.received.enterprises < least:
        return None
    received = figures.received.records
    wholes = {
        "received": received,
        "dated": _reported(figures.dated, received, least),
        "decided": _alone(figures.decided, least),
        "file_rows": figures.file_rows if figures.file_rows >= least else 0,
    }
    faults, hidden = {}, set()
    for kind, count in figures.faults.items():
        if kind.fault in _OF_NO_WHOLE:
            faults[kind] = _alone(count, least)
        else:
            whole = wholes[_WHOLE_OF.get(kind.fault, "received")]
            faults[kind] = min(_reported(count, whole, least), whole)
        if faults[kind] != count.records or is_small(count, least):
            hidden.add(kind)
    return ReportedFigures(
        dataset=figures.dataset,
        **wholes,
        corrected=_alone(figures.corrected, least),
        faults=faults,
        hidden=frozenset(hidden),
    )


def published_of(
    figures: Iterable[DatasetFigures], least: int
) -> tuple[list[ReportedFigures], list[str]]:
    """The published figures of several datasets, and the datasets of which none are published."""
    shown, withheld = [], []
    for each in figures:
        reported = published(each, least)
        if reported is None:
            withheld.append(each.dataset)
        else:
            shown.append(reported)
    return shown, withheld


def is_small(count: Count, least: int) -> bool:
    """True if the count, or the rest of its whole, is of fewer than `least` enterprises and of some."""
    few, nearly_all = 0 < count.enterprises < least, 0 < count.others < least
    return few or (nearly_all and count.enterprises >= least)


def _reported(count: Count, whole: int, least: int) -> int:
    if count.enterprises < least:
        return 0
    return whole if count.others < least else count.records


def _alone(count: Count, least: int) -> int:
    """A count that is no part of another."""
    return count.records if count.enterprises >= least else 0
