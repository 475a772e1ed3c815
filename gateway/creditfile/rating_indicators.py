"""Indicators of a delivered rating: points and reason codes, checked against its scheme. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.rating_schemes import RatingScheme
from gateway.creditfile.field_problems import ProblemCode

INDICATORS: Final = "indicators"
"""Field of a rating with its indicators."""
SCORE: Final = "score"
"""Field of a rating with its points, which those of all its indicators add up to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredIndicator:
    """Points of one indicator, with the codes of the reasons for those it lacks."""

    indicator: str
    points: int
    reason_codes: tuple[str, ...] = ()


def delivered_indicators(fields: Mapping[str, Any]) -> tuple[DeliveredIndicator, ...]:
    """The indicators in a rating's fields, as they were delivered."""
    return tuple(
        DeliveredIndicator(
            indicator=each["indicator"],
            points=each["points"],
            reason_codes=tuple(each["reason_codes"]),
        )
        for each in fields.get(INDICATORS) or ()
    )


def indicators_problem(
    catalogue: Catalogue, dataset: str, fields: Mapping[str, Any]
) -> ProblemCode | None:
    """Why a rating's indicators do not fit its scheme; `None` if they do, or there are none."""
    given = delivered_indicators(fields)
    if not given:
        return None
    scheme = catalogue.scheme_of(dataset, fields)
    if scheme is None or not scheme.indicators:
        return ProblemCode.NO_RATING_SCHEME
    if len({each.indicator for each in given}) != len(given):
        return ProblemCode.INDICATOR_TWICE
    if not all(_is_of(scheme, each) for each in given):
        return ProblemCode.NOT_IN_RATING_SCHEME
    score = fields.get(SCORE)
    is_whole = len(given) == len(scheme.indicators)
    if is_whole and score is not None and sum(each.points for each in given) != score:
        return ProblemCode.POINTS_DIFFER
    return None


def _is_of(scheme: RatingScheme, given: DeliveredIndicator) -> bool:
    """True if scheme has the indicator, with so many points and these reasons."""
    indicator = scheme.by_code.get(given.indicator)
    return (
        indicator is not None
        and given.points <= indicator.points
        and set(given.reason_codes) <= set(indicator.reason_by_code)
    )
