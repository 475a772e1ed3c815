"""Self-assessment: where an enterprise stands against each published indicator of its ratings. Pure.

Points are those of the latest rating; without any, they are computed by the scheme's published rule, or not
known. Beside them stand the records that weigh on the indicator today, with what can be done about each.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from gateway.creditfile.catalogue import Catalogue
from gateway.creditfile.catalogue.rating_schemes import (
    RatingDimension,
    RatingIndicator,
    RatingScheme,
    ReasonCode,
)
from gateway.creditfile.disclosure_class import Audience
from gateway.creditfile.disclosure_policy import context_of, end_in_effect, is_disclosable
from gateway.creditfile.disclosure_terms import FileContext, ends_at
from gateway.creditfile.local_dates import day_of
from gateway.creditfile.rating_indicators import DeliveredIndicator, delivered_indicators
from gateway.creditfile.records import Record, newest_first
from gateway.creditfile.repair_terms import NoRepair, RepairChange, RepairState, repair_terms


class Basis(StrEnum):
    """Origin of an indicator's points."""

    DELIVERED = "delivered"
    """The source gave them with the latest rating."""
    COMPUTED = "computed"
    """By the scheme's published rule, from the records of today."""
    NOT_KNOWN = "not_known"


class Step(StrEnum):
    """Remedy for a record that weighs against an indicator."""

    OBJECT = "object"
    OBJECTED = "objected"
    """An objection is under way."""
    REPAIR = "repair"
    """A repair can be applied for now."""
    REPAIR_FROM = "repair_from"
    """A repair can be applied for from a day on."""
    APPLIED = "applied"
    """A repair has been applied for."""
    WAIT_UNTIL = "wait_until"
    """It ends by itself after a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDo:
    """A step, with its day where it has one."""

    step: Step
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A record that weighs on an indicator: in favour, or against it for a reason."""

    record: Record
    points: int | None
    """Points that it adds or takes, where a rule is published."""
    reason: ReasonCode | None
    to_do: tuple[ToDo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Standing of the enterprise on one indicator."""

    indicator: RatingIndicator
    basis: Basis
    points: int | None
    reasons: tuple[ReasonCode, ...]
    """Of points that it lacks: as delivered, else of the records that weigh against it."""
    weights: tuple[Weight, ...]

    @property
    def against(self) -> tuple[Weight, ...]:
        """Records that weigh against it."""
        return tuple(each for each in self.weights if each.reason is not None)

    @property
    def in_favour(self) -> tuple[Weight, ...]:
        """Records in its favour."""
        return tuple(each for each in self.weights if each.reason is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingStanding:
    """One rating that applies to the enterprise; `rating` is the latest, if there is one."""

    scheme: RatingScheme
    rating: Record | None
    dimensions: tuple[tuple[RatingDimension, tuple[Standing, ...]], ...]

    @property
    def total(self) -> int | None:
        """Points of all indicators; `None` if there are none, or some are not known."""
        return total_points(self.standings)

    @property
    def standings(self) -> tuple[Standing, ...]:
        """All indicators, by dimension."""
        return tuple(each for _, standings in self.dimensions for each in standings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedures:
    """Objections and repairs of one enterprise that are under way, by record id."""

    objected: AbstractSet[str] = frozenset()
    applied: AbstractSet[str] = frozenset()
    repair_changes: Mapping[str, RepairChange] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The records of one enterprise at one moment."""

    catalogue: Catalogue
    now: datetime
    context: FileContext
    standing: Sequence[Record]
    """Records that are in force and that the enterprise sees, the newest first."""
    procedures: Procedures


def self_assessment(
    records: Sequence[Record],
    catalogue: Catalogue,
    now: datetime,
    *,
    kind: str = "",
    procedures: Procedures | None = None,
) -> tuple[RatingStanding, ...]:
    """The ratings that apply to an enterprise, in the catalogue's order.

    `records` are its whole file with the registration, `kind` is its kind.
    """
    held = [each for each in records if catalogue.has_dataset(each.dataset)]
    context = context_of(held, catalogue, now)
    standing = [
        each
        for each in held
        if end_in_effect(each, catalogue, now, context=context) is None
        and is_disclosable(each, Audience.ENTERPRISE, catalogue, now, kind=kind)
    ]
    standing.sort(key=newest_first)
    file = _File(
        catalogue=catalogue,
        now=now,
        context=context,
        standing=standing,
        procedures=procedures or Procedures(),
    )
    return tuple(
        _rating_standing(scheme, rating, file)
        for scheme in catalogue.rating_schemes
        for rating in _ratings_of(scheme, file)
    )


def _ratings_of(scheme: RatingScheme, file: _File) -> list[Record | None]:
    """The ratings by this scheme; `None` stands for one that is still to come."""
    found: list[Record | None] = [
        each
        for each in file.standing
        if each.dataset == scheme.dataset
        and file.catalogue.scheme_of(each.dataset, each.fields) is scheme
    ]
    if found or not scheme.for_all or any(e.dataset == scheme.dataset for e in file.standing):
        return found
    newest = next(each for each in file.catalogue.rating_schemes if each.code == scheme.code)
    return [None] if newest is scheme else []


def _rating_standing(scheme: RatingScheme, rating: Record | None, file: _File) -> RatingStanding:
    given = {
        each.indicator: each
        for each in (delivered_indicators(rating.fields) if rating is not None else ())
    }
    return RatingStanding(
        scheme=scheme,
        rating=rating,
        dimensions=tuple(
            (
                dimension,
                tuple(
                    _standing(each, given.get(each.code), file)
                    for each in scheme.of_dimension(dimension.code)
                ),
            )
            for dimension in scheme.dimensions
        ),
    )


def _standing(
    indicator: RatingIndicator, given: DeliveredIndicator | None, file: _File
) -> Standing:
    weights = tuple(
        weight
        for record in file.standing
        if record.dataset in indicator.datasets
        and (weight := _weight(indicator, record, file)) is not None
    )
    if given is not None:
        basis, codes = Basis.DELIVERED, set(given.reason_codes)
        points: int | None = given.points
    else:
        points = computed_points(indicator, weights)
        basis = Basis.NOT_KNOWN if points is None else Basis.COMPUTED
        codes = {weight.reason.code for weight in weights if weight.reason is not None}
    return Standing(
        indicator=indicator,
        basis=basis,
        points=points,
        reasons=tuple(each for each in indicator.reasons if each.code in codes),
        weights=weights,
    )


def total_points(standings: Sequence[Standing]) -> int | None:
    """Points of these indicators together; `None` if there are none, or some are not known."""
    known = [each.points for each in standings if each.points is not None]
    return sum(known) if known and len(known) == len(standings) else None


def computed_points(indicator: RatingIndicator, weights: Sequence[Weight]) -> int | None:
    """Points by the indicator's published rule, from nothing to its most; `None` without a rule."""
    if indicator.base is None:
        return None
    points = indicator.base + sum(each.points or 0 for each in weights)
    return min(max(points, 0), indicator.points)


def _weight(indicator: RatingIndicator, record: Record, file: _File) -> Weight | None:
    """The record's weight on the indicator; `None` if it has none."""
    effect = indicator.effect_of(file.catalogue.dataset(record.dataset), record.fields)
    if effect is None:
        return None
    reason = indicator.reason_by_code.get(effect.reason or "")
    return Weight(
        record=record,
        points=effect.points,
        reason=reason,
        to_do=() if reason is None else tuple(_steps(record, file)),
    )


def _steps(record: Record, file: _File) -> list[ToDo]:
    """Steps about a record that weighs against an indicator, the first to take first."""
    procedures, is_applied = file.procedures, record.record_id in file.procedures.applied
    is_objected = record.record_id in procedures.objected
    steps = [ToDo(step=Step.OBJECTED if is_objected else Step.OBJECT)]
    terms = repair_terms(
        record,
        file.catalogue,
        file.now,
        applied=is_applied,
        last_change=procedures.repair_changes.get(record.record_id),
        context=file.context,
    )
    if isinstance(terms, NoRepair):
        return steps + _wait(_last_day(record, file))
    if terms.state is RepairState.APPLIED:
        steps.append(ToDo(step=Step.APPLIED))
    elif terms.can_apply:
        steps.append(ToDo(step=Step.REPAIR))
    elif not terms.ends_first:
        steps.append(ToDo(step=Step.REPAIR_FROM, day=terms.repairable_from))
    return steps + _wait(terms.last_day)


def _wait(last_day: date | None) -> list[ToDo]:
    return [] if last_day is None else [ToDo(step=Step.WAIT_UNTIL, day=last_day)]


def _last_day(record: Record, file: _File) -> date | None:
    """The last day on which the record is in force; `None` if nothing ends it."""
    dataset = file.catalogue.dataset(record.dataset)
    end = ends_at(record, dataset, file.catalogue.rules_of(record.dataset), file.context)
    return None if end is None else day_of(end - timedelta(seconds=1))
