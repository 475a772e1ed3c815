"""Rules of data quality (pydantic): terms, recommended fields, weights and levels, from `rules.yaml`."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from gateway import strict_yaml
from gateway.creditfile.catalogue.parts import (
    CataloguePart,
    Name,
    Names,
    NonEmptyText,
    WorkingDays,
)

PUBLISHED_RULES: Final = files("gateway.data_quality") / "rules.yaml"
FULL_SCORE: Final = 100

Weight = Annotated[int, Field(ge=0, le=FULL_SCORE)]


class Weights(CataloguePart):
    """Parts of the score; together 100."""

    timely: Weight
    complete: Weight
    right: Weight

    @model_validator(mode="after")
    def _together_full(self) -> Self:
        if self.timely + self.complete + self.right != FULL_SCORE:
            raise ValueError("the weights are not 100 together")
        return self


class Level(Names):
    """A level of the score, from `from` on."""

    code: Name
    least: Weight = Field(alias="from")


class DatasetRules(CataloguePart):
    """Quality rules of one dataset's records."""

    days: WorkingDays | None = None
    """Working days from the record's day to its receipt; none: timeliness is not judged."""
    law: NonEmptyText | None = None
    recommended: tuple[Name, ...] = ()
    """Fields that a complete record has beside the required ones."""


class QualityRules(CataloguePart):
    """The rules of every dataset, and of the score."""

    version: NonEmptyText
    counts_from: date
    """Records of an earlier day are never late."""
    weights: Weights
    least_enterprises: Annotated[int, Field(ge=2)]
    levels: tuple[Level, ...]
    datasets: Mapping[Name, DatasetRules]

    @model_validator(mode="after")
    def _levels_descend(self) -> Self:
        least = [each.least for each in self.levels]
        if not least or least[-1] != 0 or least != sorted(set(least), reverse=True):
            raise ValueError("levels: they descend to 0")
        return self

    def rules_of(self, dataset: str) -> DatasetRules:
        """Rules of a dataset; of one that is not named nothing is asked."""
        return self.datasets.get(dataset, _NOTHING_ASKED)


_NOTHING_ASKED: Final = DatasetRules()


@lru_cache(maxsize=1)
def published_rules() -> QualityRules:
    """The rules that the gateway is delivered with."""
    return QualityRules.model_validate(
        strict_yaml.load(PUBLISHED_RULES.read_text(encoding="utf-8"))
    )
