"""Objection as its source and its reviewer read it."""

from typing import Any, Literal

from gateway.access.http.body import WireModel


class ObjectionOut(WireModel):
    """One objection, as its source sees it."""

    objection_id: str
    kind: Literal["objection", "rating_appeal"]
    status: Literal["open", "decided", "in_review", "ordered", "closed"]
    outcome: str | None
    dataset: str
    record_id: str
    enterprise: dict[str, str]
    contests: dict[str, str | None] | None
    raised_at: str
    due: dict[str, Any] | None
    extended: bool
    final_at: str | None


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
