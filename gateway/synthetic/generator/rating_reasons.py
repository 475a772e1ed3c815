"""Synthetic indicators of ratings: points and reason codes that add up to the score, and fit the file.

They are drawn from a stream of their own, so that the rest of the province stays as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.rating_schemes import RatingScheme
from gateway.creditfile.rating_indicators import INDICATORS, SCORE
from gateway.synthetic.generator.delivered_rows import DeliveredRow
from gateway.synthetic.generator.seeded_random import SeededRandom

_UNEXPLAINED: Final = 0.2
"""Share of the ratings without a score that come without indicators."""
_DAY: Final = "decided_on"
"""Column with a record's day; what has none was delivered late, and stood before."""
_PART: Final = 3
"""An indicator without a rule loses a third of its points by a record against it."""


def with_indicators(rows: Sequence[DeliveredRow], catalogue: Catalogue) -> tuple[DeliveredRow, ...]:
    """The rows of one file, its ratings with indicators where their scheme has some."""
    return tuple(_explained(each, rows, catalogue) for each in rows)


def _explained(
    row: DeliveredRow, rows: Sequence[DeliveredRow], catalogue: Catalogue
) -> DeliveredRow:
    scheme = catalogue.scheme_of(row.dataset, row.fields)
    if scheme is None or not scheme.indicators:
        return row
    rng = SeededRandom(row.record_id)
    if SCORE not in row.fields and rng.random() < _UNEXPLAINED:
        return row
    points = _points(scheme, row.fields, rng)
    if points is None:
        return row
    losses = _losses_by_records(scheme, row, rows, catalogue)
    if not _fit(scheme, losses, scheme.points - points, rng):
        return row
    indicators = [
        {
            "indicator": each.code,
            "points": each.points - losses[each.code].points,
            "reason_codes": losses[each.code].codes,
        }
        for each in scheme.indicators
    ]
    return replace(row, fields={**row.fields, INDICATORS: indicators})


def _points(scheme: RatingScheme, fields: Mapping[str, Any], rng: SeededRandom) -> int | None:
    """Points of a rating: its score, or some within its level; `None` of a level without points."""
    if SCORE in fields:
        return int(fields[SCORE])
    most = scheme.points
    for level in scheme.levels:
        if level.least is None:
            return None
        if level.name == fields.get("level"):
            return rng.randint(max(level.least, scheme.points // 2), most)
        most = level.least - 1
    return None


@dataclass(slots=True)
class _Loss:
    """Points that an indicator lacks, and why."""

    points: int = 0
    codes: list[str] = field(default_factory=list)


def _losses_by_records(
    scheme: RatingScheme, rating: DeliveredRow, rows: Sequence[DeliveredRow], catalogue: Catalogue
) -> dict[str, _Loss]:
    """Losses by the records that stood against it on the day of the rating, by indicator."""
    standing = [
        each
        for each in rows
        if not each.events
        and (each.day <= rating.day or _DAY not in catalogue.dataset(each.dataset).field_of)
    ]
    losses = {each.code: _Loss() for each in scheme.indicators}
    for indicator in scheme.indicators:
        loss = losses[indicator.code]
        for row in standing:
            effect = indicator.effect_of(catalogue.dataset(row.dataset), row.fields)
            if effect is not None and effect.reason is not None:
                taken = -effect.points if effect.points else indicator.points // _PART
                loss.points = min(loss.points + taken, indicator.points)
                loss.codes = list(dict.fromkeys((*loss.codes, effect.reason)))
    return losses


def _fit(scheme: RatingScheme, losses: dict[str, _Loss], short: int, rng: SeededRandom) -> bool:
    """Make the losses `short` together: cut those by records, or add general ones; false if it cannot."""
    for loss in losses.values():
        loss.points = min(loss.points, short)
        short -= loss.points
        if not loss.points:
            loss.codes = []
    general = [each for each in scheme.indicators if each.general_reasons]
    rng.shuffle(general)
    room = sum(each.points - losses[each.code].points for each in general)
    if short > room:
        return False
    for indicator in general:
        loss = losses[indicator.code]
        free = indicator.points - loss.points
        room -= free
        taken = rng.randint(max(0, short - room), min(free, short))
        if taken:
            loss.points += taken
            loss.codes.append(rng.choice(indicator.general_reasons).code)
        short -= taken
    return True
