"""Schema of rating schemes (评价体系): levels, dimensions, indicators with their rules and reason codes.

A scheme is published in the catalogue; ratings of its dataset that meet its conditions go by it. An
indicator with `base` has a published rule, by which anybody can compute its points from the records.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from gateway.creditfile.catalogue.dataset_definition import DatasetDefinition
from gateway.creditfile.catalogue.parts import CataloguePart, Condition, Name, Names, NonEmptyText

Points = Annotated[int, Field(ge=1, le=10_000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,9}$")]


class ReasonCode(Names):
    """Reason for lost points (扣分原因): a plain sentence, and what to do about it."""

    code: Code
    to_do: Names


class RatingEffect(CataloguePart):
    """Effect of each record of a dataset on an indicator: in favour, or against it with a reason."""

    dataset: Name
    when: tuple[Condition, ...] = ()
    """Conditions on the record; without any, bad information counts, or any where none is bad."""
    points: Annotated[int, Field(ge=-10_000, le=10_000)] | None = None
    """Points that it adds or takes, where a rule is published."""
    reason: Code | None = None
    """Reason code of a record that weighs against it."""

    def fits(self, dataset: DatasetDefinition, fields: Mapping[str, Any]) -> bool:
        """True if it is the effect of a record of this dataset with these fields."""
        if dataset.code != self.dataset:
            return False
        if self.when:
            return all(each.holds(fields) for each in self.when)
        return not dataset.is_ever_bad or dataset.is_bad(fields)


class RatingIndicator(Names):
    """One indicator (评价指标)."""

    code: Name
    dimension: Name
    points: Points
    """The most that it can have."""
    base: Annotated[int, Field(ge=0)] | None = None
    """Points without any record; `None` where no rule is published."""
    effects: tuple[RatingEffect, ...] = ()
    """Of a record, the first that fits applies."""
    datasets: tuple[Name, ...]
    """Datasets that it rests on."""
    reasons: tuple[ReasonCode, ...]

    @cached_property
    def reason_by_code(self) -> Mapping[str, ReasonCode]:
        """Reasons by code."""
        return {each.code: each for each in self.reasons}

    @cached_property
    def general_reasons(self) -> tuple[ReasonCode, ...]:
        """Reasons that no record of the file stands for."""
        of_records = {each.reason for each in self.effects}
        return tuple(each for each in self.reasons if each.code not in of_records)

    def effect_of(
        self, dataset: DatasetDefinition, fields: Mapping[str, Any]
    ) -> RatingEffect | None:
        """The effect of a record of this dataset with these fields; `None` if it has none."""
        return next((each for each in self.effects if each.fits(dataset, fields)), None)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        reasons = {each.reason for each in self.effects if each.reason is not None}
        problems = (
            (len(self.reason_by_code) != len(self.reasons), "a reason code stands twice"),
            (not reasons <= set(self.reason_by_code), "an effect has a reason that is not listed"),
            (
                any((each.points or 0) < 0 and each.reason is None for each in self.effects),
                "points are taken without a reason",
            ),
            (
                not {each.dataset for each in self.effects} <= set(self.datasets),
                "an effect is of a dataset that it does not rest on",
            ),
            (self.base is not None and self.base > self.points, "its base is above its points"),
            (
                any((each.points is None) != (self.base is None) for each in self.effects),
                "points of effects go with a base",
            ),
        )
        for wrong, sentence in problems:
            if wrong:
                raise ValueError(f"indicator {self.code}: {sentence}")
        return self


class RatingDimension(Names):
    """A dimension (评价维度), which groups indicators."""

    code: Name


class RatingLevel(CataloguePart):
    """A level (等级), and the points from which it is given."""

    name: NonEmptyText
    least: Annotated[int, Field(ge=0)] | None = None


class RatingScheme(Names):
    """One version of a scheme. Without indicators its publisher publishes levels only."""

    code: Name
    version: NonEmptyText
    publisher: Names
    document: NonEmptyText
    """The source document."""
    synthetic: bool = False
    """Figures are made up, as configuration of the synthetic province."""
    dataset: Name
    where: Mapping[Name, NonEmptyText] = {}
    """Fields and their values in the ratings that go by it."""
    for_all: bool = False
    """It rates every enterprise, whether or not a rating has been delivered."""
    levels: tuple[RatingLevel, ...]
    """Best first."""
    dimensions: tuple[RatingDimension, ...] = ()
    indicators: tuple[RatingIndicator, ...] = ()

    @cached_property
    def points(self) -> int:
        """The most points that a rating can have."""
        return sum(each.points for each in self.indicators)

    @cached_property
    def by_code(self) -> Mapping[str, RatingIndicator]:
        """Indicators by code."""
        return {each.code: each for each in self.indicators}

    def of_dimension(self, code: str) -> tuple[RatingIndicator, ...]:
        """Indicators of one dimension."""
        return tuple(each for each in self.indicators if each.dimension == code)

    def fits(self, fields: Mapping[str, Any]) -> bool:
        """True if a rating with these fields goes by this scheme."""
        return all(fields.get(name) == value for name, value in self.where.items())

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        dimensions = [each.code for each in self.dimensions]
        leasts = [each.least for each in self.levels if each.least is not None]
        problems = (
            (len(self.by_code) != len(self.indicators), "an indicator stands twice"),
            (len(set(dimensions)) != len(dimensions), "a dimension stands twice"),
            (
                {each.dimension for each in self.indicators} != set(dimensions),
                "its indicators are not of its dimensions",
            ),
            (leasts != sorted(leasts, reverse=True), "its levels are not best first"),
            (any(each > self.points for each in leasts), "a level is above its points"),
        )
        for wrong, sentence in problems:
            if wrong:
                raise ValueError(f"rating scheme {self.code}: {sentence}")
        return self


def conditions_of(scheme: RatingScheme) -> Iterator[tuple[str, Condition | None]]:
    """Datasets that the scheme's indicators rest on, with each condition on their records."""
    for indicator in scheme.indicators:
        yield from ((dataset, None) for dataset in indicator.datasets)
        for effect in indicator.effects:
            yield from ((effect.dataset, each) for each in effect.when)
