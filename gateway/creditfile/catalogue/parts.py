"""Parts that the data catalogue's schemas share: base model, names, conditions."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
NonEmptyText = Annotated[str, StringConstraints(min_length=1)]
Months = Annotated[int, Field(ge=0, le=1200)]
WorkingDays = Annotated[int, Field(ge=1, le=250)]
SeparateConsentOf = Literal["enterprise", "person"]
"""Giver of the separate consent (单独同意) that a field needs (R8a)."""


class CataloguePart(BaseModel):
    """Base model of the catalogue: frozen, unknown members refused.

    Its cached properties stay with it: a changed copy, or one sent to another process, makes its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def __copy__(self) -> Self:
        """A copy of the fields alone."""
        return _without_derived(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A deep copy of the fields alone."""
        return _without_derived(super().__deepcopy__(memo))

    def __getstate__(self) -> dict[Any, Any]:
        """The state that is pickled: the fields alone."""
        return super(CataloguePart, self.__copy__()).__getstate__()


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


Part = TypeVar("Part", bound=CataloguePart)


def _without_derived(part: Part) -> Part:
    """The part, its cached properties dropped."""
    for name in part.__dict__.keys() - type(part).model_fields.keys():
        del part.__dict__[name]
    return part
