"""Request and response models of a source's objection routes."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.access.http.body import WireModel
from gateway.access.serializers.objection import ObjectionOut
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


class ObjectionsOut(WireModel):
    """A page of objections; `after` is the cursor of the next page."""

    objections: list[ObjectionOut]
    after: str | None
