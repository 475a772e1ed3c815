"""Goals of `make bench`: verdicts, and how goals and figures are told."""

import math

import pytest

from tests.bench.goals import Goal, Verdict, at_least, at_most, quoted

RATIO = at_least("of the floor", 0.60, aim=0.80)
LAG = at_most("log lag, s", 2.0)


def test_a_figure_on_its_bound_has_met_it() -> None:
    """Both bounds are inclusive."""
    assert RATIO.seen(0.60).verdict is Verdict.MET
    assert LAG.seen(2.0).verdict is Verdict.MET


@pytest.mark.parametrize(("goal", "figure"), [(RATIO, 0.599), (LAG, 2.001)])
def test_a_figure_beyond_its_bound_misses_it_even_if_it_is_rounded_to_it(
    goal: Goal, figure: float
) -> None:
    """The verdict is of the figure, not of what is printed."""
    assert goal.seen(figure).verdict is Verdict.MISSED


@pytest.mark.parametrize("goal", [RATIO, LAG])
def test_a_figure_that_could_not_be_computed_has_met_nothing(goal: Goal) -> None:
    """No comparison with NaN holds."""
    assert goal.seen(math.nan).verdict is Verdict.MISSED


def test_a_figure_without_a_bound_is_only_quoted() -> None:
    """It has neither met nor missed anything."""
    outcome = quoted("p50, ms").seen(4.2)
    assert outcome.verdict is Verdict.QUOTED
    assert outcome.goal.text == "–"


def test_a_goal_tells_its_side_its_bound_and_its_aim() -> None:
    """As they are printed in the table."""
    assert RATIO.text == "≥ 0.6, aim 0.8"
    assert LAG.text == "≤ 2"
    assert at_least("disclosures a second", 700, aim=1_000).text == "≥ 700, aim 1,000"


@pytest.mark.parametrize(
    ("figure", "text"), [(0.5987, "0.599"), (2.0, "2.000"), (1_041.3, "1,041")]
)
def test_a_figure_is_told_so_exactly_that_its_verdict_can_be_seen(figure: float, text: str) -> None:
    """Ratios with three decimals, rates as whole numbers."""
    assert RATIO.seen(figure).text == text
