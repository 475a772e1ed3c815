"""Request and response models of a source's objection routes."""

from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.access.body import WireModel
from gateway.rfc3339 import Day

Reasons = Annotated[str, Field(min_length=1, max_length=3_000)]


class DecisionIn(WireModel):
    """A decision with its reasons; upholding requires that the record was corrected or withdrawn."""

    outcome: Literal["upheld", "partly", "rejected"]
    reasons: Reasons


class ExtensionIn(WireModel):
    """More time, once; to the last possible day where `until` is left out."""

    reason: Reasons
    until: Day | None = None


class ObjectionOut(WireModel):
    """One objection, as its source sees it."""

    objection_id: str
    kind: Literal["objection", "rating_appeal"]
    status: Literal["open", "decided", "in_review", "ordered", "closed"]
    outcome: str | None
    dataset: str
    record_id: str
    enterprise: dict[str, str]
    raised_at: str
    due: dict[str, Any] | None
    extended: bool
    final_at: str | None


class ObjectionsOut(WireModel):
    """A page of objections; `after` is the cursor of the next page."""

    objections: list[ObjectionOut]
    after: str | None


class WholeObjectionOut(ObjectionOut):
    """One objection with its texts and history."""

    key: str | None
    record_version: int
    text: str | None
    wanted: str | None
    reasons: str | None
    latest_on: str
    review: dict[str, str | None]
    history: list[dict[str, Any]]
