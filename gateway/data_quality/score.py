"""Score of data quality: how timely, complete and right what a source delivered in a month is. Pure.

- timely = 1 - late / dated
- complete = 1 - missing recommended fields / (records x recommended fields)
- right = 1 - (wrong check characters + wrong ends of publicity + upheld objections
  + records that a comparison found absent) / records, at least 0
- score = the weighted mean of those that can be judged, of 100
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import reduce
from typing import Final

from gateway.data_quality.figures import Fault, ReportedFigures
from gateway.data_quality.rules import FULL_SCORE, Level, QualityRules

WRONG: Final = (Fault.CHECK_CHARACTER, Fault.PUBLICITY_END, Fault.UPHELD, Fault.ABSENT)
_TENTHS: Final = 10
_TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The sums that a score is computed from."""

    received: int = 0
    dated: int = 0
    late: int = 0
    cells: int = 0
    """Recommended fields of all records."""
    missing: int = 0
    wrong: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """The sums over both."""
        return Tally(
            received=self.received + other.received,
            dated=self.dated + other.dated,
            late=self.late + other.late,
            cells=self.cells + other.cells,
            missing=self.missing + other.missing,
            wrong=self.wrong + other.wrong,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score and its parts, of 100 with one decimal; `None` where a month has nothing to judge."""

    timely: Decimal | None
    complete: Decimal | None
    right: Decimal | None
    total: Decimal | None
    level: Level | None


def tally(figures: ReportedFigures, rules: QualityRules) -> Tally:
    """The sums of one dataset."""
    return Tally(
        received=figures.received,
        dated=figures.dated,
        late=figures.of(Fault.LATE),
        cells=figures.received * len(rules.rules_of(figures.dataset).recommended),
        missing=figures.of(Fault.MISSING),
        wrong=min(figures.of(*WRONG), figures.received),
    )


def score_of(figures: Iterable[ReportedFigures], rules: QualityRules) -> Score:
    """The score over one or more datasets."""
    total = reduce(Tally.__add__, (tally(each, rules) for each in figures), Tally())
    timely = _share_without(total.late, total.dated)
    complete = _share_without(total.missing, total.cells)
    right = _share_without(total.wrong, total.received)
    weights = rules.weights
    weighed = [
        (weight, share)
        for weight, share in (
            (weights.timely, timely),
            (weights.complete, complete),
            (weights.right, right),
        )
        if share is not None
    ]
    weight = sum(each for each, _ in weighed)
    mean = sum((each * share for each, share in weighed), Fraction()) / weight if weight else None
    points = _points(mean)
    return Score(
        timely=_points(timely),
        complete=_points(complete),
        right=_points(right),
        total=points,
        level=None if points is None else _level(points, rules),
    )


def _share_without(faults: int, whole: int) -> Fraction | None:
    return Fraction(whole - faults, whole) if whole else None


def _points(share: Fraction | None) -> Decimal | None:
    if share is None:
        return None
    tenths = Decimal(share.numerator * FULL_SCORE * _TENTHS) / share.denominator
    return (tenths.quantize(Decimal(1), rounding=ROUND_HALF_UP) / _TENTHS).quantize(_TENTH)


def _level(points: Decimal, rules: QualityRules) -> Level:
    return next(each for each in rules.levels if points >= each.least)
