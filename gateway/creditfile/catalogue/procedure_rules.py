"""Schema of procedures (pydantic): deadlines of objections; conditions and offices of repair."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from gateway.creditfile.catalogue.parts import (
    CataloguePart,
    Months,
    Name,
    Names,
    NonEmptyText,
    WorkingDays,
)


class ObjectionRules(CataloguePart):
    """Deadlines of objections in working days."""

    datasets: tuple[Name, ...] = ()
    """Datasets the rules apply to; empty: all others."""
    decide: WorkingDays
    """Source's deadline to decide, from receipt."""
    at_most: WorkingDays
    """Source's deadline with the one extension."""
    ask_for_review: WorkingDays
    """Enterprise's deadline to ask for a review, from the decision."""
    review: WorkingDays
    """Reviewer's deadline; also the source's to correct after a review."""
    again: WorkingDays
    """Time before the same version of a record can be objected to again."""

    @model_validator(mode="after")
    def _extension_prolongs(self) -> Self:
        if self.at_most < self.decide:
            raise ValueError("objections: at_most is less than decide")
        return self


class ObjectionKinds(CataloguePart):
    """Rules of objections, and of appeals against ratings (R15)."""

    objection: ObjectionRules
    rating_appeal: ObjectionRules


class Platform(Names):
    """A platform that publishes credit information, and follows a repair."""

    code: Name
    url: Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+/?$")]


class RepairOffice(Names):
    """The office that decides on a repair; `field` names it in the record, where it is given."""

    field: Name | None = None


class RepairRule(CataloguePart):
    """Terms of the repair (信用修复) of one dataset's bad information."""

    law: NonEmptyText
    starts: Annotated[tuple[Literal["determined_on", "decided_on"], ...], Field(min_length=1)]
    """Typed columns, the first that is given: the start of the shortest publicity."""
    months: Months
    """Shortest publicity; with 0 a repair may be applied for at once."""
    months_by_severity: dict[str, Months] = Field(default_factory=dict)
    conditions: Annotated[
        tuple[Literal["period", "corrected", "fulfilled", "commitment"], ...], Field(min_length=1)
    ]
    office: RepairOffice
    platform: Name | None = None
    """The platform that takes applications too."""
    decide: WorkingDays
    """The office's deadline, from receipt."""

    @model_validator(mode="after")
    def _period_is_a_condition(self) -> Self:
        """A shortest publicity is a condition, and no condition without one."""
        terms = (self.months, *self.months_by_severity.values())
        if any(terms) != ("period" in self.conditions):
            raise ValueError("repair: the condition period goes with months")
        return self


class RepairRules(CataloguePart):
    """Repair of bad information: by dataset, with the platforms that follow it."""

    again: WorkingDays
    """Time after a rejection before a repair can be applied for again."""
    months_after_revocation: Months
    """Time after a revoked repair before another can be applied for."""
    platforms: tuple[Platform, ...]
    rules: dict[Name, RepairRule]

    @cached_property
    def by_code(self) -> Mapping[str, Platform]:
        """Platforms by code."""
        return {each.code: each for each in self.platforms}

    @model_validator(mode="after")
    def _platforms_exist(self) -> Self:
        if len(self.by_code) != len(self.platforms):
            raise ValueError("repair: a platform's code stands twice")
        named = {each.platform for each in self.rules.values() if each.platform is not None}
        if unknown := named - set(self.by_code):
            message = f"repair: there is no platform {min(unknown)}"
            raise ValueError(message)
        return self
