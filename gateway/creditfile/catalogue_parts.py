"""Parts that the data catalogue's schemas share: base model, names, conditions."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
NonEmptyText = Annotated[str, StringConstraints(min_length=1)]
Months = Annotated[int, Field(ge=0, le=1200)]
WorkingDays = Annotated[int, Field(ge=1, le=250)]
SeparateConsentOf = Literal["enterprise", "person"]
"""Giver of the separate consent (单独同意) that a field needs (R8a)."""


class CataloguePart(BaseModel):
    """Base model of the catalogue: frozen, unknown members refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Condition(CataloguePart):
    """Condition on a record: `field` has one of `values`."""

    field: Name
    values: tuple[bool | str, ...]

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """True if a record with these fields meets the condition."""
        return fields.get(self.field) in self.values

    def __str__(self) -> str:
        """The condition in a sentence: `published is true`."""
        values = (str(each).lower() if isinstance(each, bool) else each for each in self.values)
        return f"{self.field} is {'、'.join(values) or 'nothing yet'}"


def _as_condition(value: object) -> object:
    return {"field": value, "values": (True,)} if isinstance(value, str) else value


WhenTrue = Annotated[Condition, BeforeValidator(_as_condition)]
"""A condition; the name alone of a boolean field means that it is true."""


class Names(CataloguePart):
    """A text in both languages."""

    zh: NonEmptyText
    en: NonEmptyText
