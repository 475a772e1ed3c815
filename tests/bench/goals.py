"""Goals of a benchmark and their verdicts: what was seen, beside what must hold. Pure.

A figure without a bound is quoted: it has no verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_WHOLE_FROM: Final = 100


class Verdict(StrEnum):
    """Verdict on a figure."""

    MET = "met"
    MISSED = "missed"
    QUOTED = "quoted"


class Side(StrEnum):
    """On which side of its bound a figure must be."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Bound that one figure must keep; `aim` is hoped for beyond it."""

    what: str
    bound: float | None = None
    side: Side = Side.AT_LEAST
    aim: float | None = None

    @property
    def text(self) -> str:
        """As in `≥ 0.60, aim 0.80`; a dash without a bound."""
        if self.bound is None:
            return "–"
        aim = "" if self.aim is None else f", aim {self.aim:,.10g}"
        return f"{self.side} {self.bound:,.10g}{aim}"

    def seen(self, figure: float) -> "Outcome":
        """The outcome with this figure."""
        return Outcome(goal=self, figure=figure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A goal and the figure that was seen."""

    goal: Goal
    figure: float

    @property
    def verdict(self) -> Verdict:
        """Judged by the figure itself, not by its rounded text."""
        if self.goal.bound is None:
            return Verdict.QUOTED
        if self.goal.side is Side.AT_LEAST:
            met = self.figure >= self.goal.bound
        else:
            met = self.figure <= self.goal.bound
        return Verdict.MET if met else Verdict.MISSED

    @property
    def text(self) -> str:
        """The figure with three decimals, or none from a hundred on."""
        return f"{self.figure:,.0f}" if self.figure >= _WHOLE_FROM else f"{self.figure:.3f}"


Outcomes = Sequence[Outcome]


def at_least(what: str, bound: float, *, aim: float | None = None) -> Goal:
    """A goal for a figure that should be large."""
    return Goal(what=what, bound=bound, aim=aim)


def at_most(what: str, bound: float) -> Goal:
    """A goal for a figure that should be small."""
    return Goal(what=what, bound=bound, side=Side.AT_MOST)


def quoted(what: str) -> Goal:
    """A figure that is told without a verdict."""
    return Goal(what=what)
