"""Schema of the clock rules (pydantic): what ends the disclosure of a record, with its figures."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.creditfile.catalogue.parts import CataloguePart, Months, Name, NonEmptyText


class Publicity(CataloguePart):
    """Publicity terms of penalties by their kinds and fines (市场监管总局令第45号)."""

    class Short(CataloguePart):
        """Short publicity: for these kinds only, or a low fine."""

        kinds: tuple[str, ...]
        fine_at_most: Decimal
        """In 万元."""
        months: Months

    never_shown: tuple[str, ...]
    short: Short
    harmless_beside_a_fine: tuple[str, ...]
    months: Months
    bans: tuple[str, ...] = ()
    """Kinds that prolong publicity until they end."""
    months_by_severity: dict[str, Months] = Field(default_factory=dict)


class MinorPenalty(CataloguePart):
    """Penalties that are minor where the authority gives no severity, and when they are published."""

    severity: NonEmptyText
    procedures: tuple[str, ...]
    """Procedures that make any penalty minor."""
    kinds: tuple[str, ...]
    """Kinds of which alone a minor penalty may consist, beside a small fine."""
    fine: NonEmptyText
    """The kind that is a fine."""
    fine_at_most: Decimal
    """Small fine of an organisation, in 万元."""
    person_fine_at_most: Decimal
    """Small fine of an individual business, in 万元."""
    published_if: Name
    """Boolean field: the authority has decided to publish it."""
    published_under: tuple[str, ...]
    """Procedures under which it may decide so."""


class SeriousPenalty(CataloguePart):
    """Penalties that are serious where the authority gives no severity."""

    severity: NonEmptyText
    kinds: tuple[str, ...]
    fine_from: Decimal | None = None
    """Huge fine, in 万元; by default only the authority says what is huge."""


class PublicityBySeverity(CataloguePart):
    """Publicity terms of penalties by severity (国家发展改革委令第36号).

    `publicity` then applies beside it, to decisions before `in_force`: the earlier end counts.
    """

    law: NonEmptyText
    in_force: date
    months: dict[str, Months]
    """The longest publicity, from the day of determination, by severity."""
    minor: MinorPenalty
    ordinary: NonEmptyText
    """Severity of every other penalty."""
    serious: SeriousPenalty
    unfulfilled_continue: tuple[str, ...] = ()
    """USCCs of authorities whose penalties stay public until the duty is fulfilled."""

    @model_validator(mode="after")
    def _has_every_term(self) -> Self:
        named = {self.minor.severity, self.ordinary, self.serious.severity}
        if missing := named - set(self.months):
            message = f"publicity_by_severity: no months for {min(missing)}"
            raise ValueError(message)
        return self


class Exempt(CataloguePart):
    """Penalties that do not count as bad information (R1)."""

    procedures: tuple[str, ...]
    under_appeal: tuple[str, ...]
    no_appeal_any_more: tuple[str, ...] = ()
    appeal_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    """Days from the decision in which an unstated appeal is assumed; by default none is."""


class Term(CataloguePart):
    """A fixed term after which disclosure ends."""

    law: NonEmptyText
    starts: Annotated[
        tuple[Literal["determined_on", "decided_on", "published_on", "valid_from", "period"], ...],
        Field(min_length=1),
    ]
    """Typed columns, the first that is given; a `period` starts the term with its last day."""
    months: Months
    extension: Name | None = None
    """Integer field: years by which the term is longer, at most `extension_at_most`."""
    extension_at_most: Annotated[int, Field(ge=0, le=100)] = 0
    only_bad: bool = False
    """Applies to bad information only."""


class EndsWith(CataloguePart):
    """Bad records end with the record of another dataset that they led to."""

    dataset: Name
    field: Name
    """Field that holds the other record's key."""


class Filing(CataloguePart):
    """Rule that a record is disclosed only while its author is filed (备案)."""

    law: NonEmptyText
    number: Name
    """Field with the number of the filing; without one it is not disclosed."""
    until: Name
    """Field with the filing's last day."""


class ClockRules(CataloguePart):
    """Rules that end the disclosure of a record, beside repair and withdrawal."""

    until_removed: bool = False
    """A listing: retention does not end it."""
    term: Term | None = None
    until_valid_to: bool = False
    latest_of: tuple[Name, ...] | None = None
    """Only the latest record is disclosed of those equal in these fields."""
    retention_months: Months | None = None
    publicity: Publicity | None = None
    publicity_by_severity: PublicityBySeverity | None = None
    exempt: Exempt | None = None
    ends_with: EndsWith | None = None
    filing: Filing | None = None

    @property
    def has_publicity(self) -> bool:
        """True if an end of publicity is computed (R2)."""
        return bool(self.publicity or self.publicity_by_severity)
