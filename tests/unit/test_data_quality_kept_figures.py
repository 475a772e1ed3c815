"""Kept figures of data quality: how long they hold."""

from datetime import timedelta

import pytest

from gateway.data_quality.figures import Count, DatasetFigures, Fault, FaultKind
from gateway.data_quality.kept_figures import LONGEST, SETTLED_AFTER, KeptFigures, document_of
from gateway.data_quality.month import Month

MONTH = Month(year=2026, month=10)
SECOND = timedelta(seconds=1)


def kept(counted: timedelta, seconds: float = 2.0) -> KeptFigures:
    """Figures counted so long after the month's end."""
    return KeptFigures(figures=(), counted_at=MONTH.end + counted, seconds=seconds)


def test_figures_are_stored_whole() -> None:
    figures = DatasetFigures(
        dataset="penalty",
        received=Count(records=5, enterprises=3),
        dated=Count(records=4, enterprises=3, others=1),
        decided=Count(records=2, enterprises=1),
        corrected=Count(records=1, enterprises=1),
        file_rows=7,
        faults={
            FaultKind(fault=Fault.MISSING, field="legal_basis"): Count(records=5, enterprises=3),
            FaultKind(fault=Fault.LATE): Count(records=1, enterprises=1, others=2),
        },
    )
    read = KeptFigures.of([document_of(figures)], MONTH.end, 1.0)
    assert read.figures == [figures]


def test_a_month_that_was_over_for_a_day_is_never_counted_again() -> None:
    settled = kept(SETTLED_AFTER)
    assert settled.is_current(MONTH, MONTH.end + timedelta(days=3_650))
    assert not kept(SETTLED_AFTER - SECOND).is_current(MONTH, MONTH.end + timedelta(days=2))


def test_what_was_counted_of_a_running_month_is_not_told_of_the_month_once_it_is_over() -> None:
    """It lacks what came afterwards, and nobody else may read it (R16)."""
    running = kept(-SECOND, seconds=3_600)
    assert running.is_current(MONTH, MONTH.end - SECOND / 2)
    assert not running.is_usable(MONTH, MONTH.end)
    assert not running.is_current(MONTH, MONTH.end)


@pytest.mark.parametrize(
    ("seconds", "held"), [(0.1, timedelta(seconds=6)), (60, timedelta(hours=1)), (9e9, LONGEST)]
)
def test_a_running_month_is_kept_for_sixty_times_as_long_as_it_took(
    seconds: float, held: timedelta
) -> None:
    """So that reading it costs a sixtieth of a core at most, and a small source sees it at once."""
    running = kept(-timedelta(days=9), seconds)
    assert running.is_current(MONTH, running.counted_at + held - SECOND / 10)
    assert not running.is_current(MONTH, running.counted_at + held)
