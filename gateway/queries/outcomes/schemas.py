"""Request and response models of outcomes."""

from typing import Annotated, Self

from pydantic import Field

from gateway.access.http.body import WireModel
from gateway.access.serializers.timestamps import format_time
from gateway.disclosure.application_outcomes.model import (
    MOST_REASONS,
    ApplicationOutcome,
    OutcomeReason,
    ToldOutcome,
)

DISCLOSURE_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"


class OutcomeIn(WireModel):
    """`PUT /v1/queries/{disclosure_id}/outcome`."""

    outcome: Annotated[ApplicationOutcome, Field(strict=False)] = Field(examples=["refused"])
    reasons: Annotated[
        list[Annotated[OutcomeReason, Field(strict=False)]], Field(max_length=MOST_REASONS)
    ] = Field(default=[], examples=[["history_too_short", "live_penalty"]])


class EarlierOutcomeOut(WireModel):
    """The outcome that was told before."""

    outcome: ApplicationOutcome
    reasons: list[OutcomeReason]
    told_at: str

    @classmethod
    def of(cls, told: ToldOutcome) -> Self:
        """The wire form of an earlier outcome."""
        return cls(outcome=told.outcome, reasons=[*told.reasons], told_at=format_time(told.at))


class OutcomeOut(WireModel):
    """The outcome of a query as it stands; `replaced` is the one before, if there is one."""

    disclosure_id: str
    outcome: ApplicationOutcome
    reasons: list[OutcomeReason]
    told_at: str
    replaced: EarlierOutcomeOut | None = None
    log_promise: dict[str, str]

    @classmethod
    def of(cls, newest: ToldOutcome, earlier: ToldOutcome | None, promise: dict[str, str]) -> Self:
        """The wire form of a query's outcome."""
        return cls(
            disclosure_id=newest.disclosure_id,
            outcome=newest.outcome,
            reasons=[*newest.reasons],
            told_at=format_time(newest.at),
            replaced=None if earlier is None else EarlierOutcomeOut.of(earlier),
            log_promise=promise,
        )


class NamedOut(WireModel):
    """A name of a closed list, in words."""

    name: str
    zh: str
    en: str


class OutcomesOut(WireModel):
    """The closed lists of outcomes and of reasons."""

    outcomes: list[NamedOut]
    reasons: list[NamedOut]
