"""Request and response models of a source's routes for applications for repair."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from gateway.access.http.body import WireModel
from gateway.records.schemas import Code, ProblemOut
from gateway.rfc3339 import Day

MAX_REPORTS = 200


class RepairDecisionIn(WireModel):
    """A decision; `accepted` repairs the record, with the reason in its history."""

    outcome: Literal["accepted", "rejected"]
    reason: Annotated[str, Field(min_length=1, max_length=3_000)]


class PaperOut(WireModel):
    """A paper that the enterprise will show: the digest of its file, which is not kept."""

    name: str
    size: int
    sha256: str


class RepairApplicationOut(WireModel):
    """One application, as the record's source sees it; `due` while it is open."""

    application_id: str
    status: Literal["open", "accepted", "rejected", "withdrawn", "overtaken"]
    dataset: str
    record_id: str
    enterprise: dict[str, str]
    applied_at: str
    due: dict[str, Any] | None
    closed_at: str | None


class RepairApplicationsOut(WireModel):
    """A page of applications; `after` is the cursor of the next page."""

    repairs: list[RepairApplicationOut]
    after: str | None


class WholeRepairApplicationOut(RepairApplicationOut):
    """One application with statement and papers; the commitment is a condition of applying."""

    key: str | None
    statement: str
    commitment: bool
    papers: list[PaperOut]
    reason: str | None


class PlatformReportIn(WireModel):
    """A platform that has followed the repair of a record, and the day."""

    dataset: Code
    uscc: Annotated[str, StringConstraints(max_length=64)]
    key: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    platform: Code = Field(examples=["credit_china"])
    followed_on: Day


class PlatformReportsIn(WireModel):
    """`POST /v1/records/repairs/platforms`: up to 200 in `reports`, or the members of one."""

    any_number: ClassVar[bool] = True

    reports: Annotated[list[PlatformReportIn], Field(min_length=1, max_length=MAX_REPORTS)]

    @model_validator(mode="before")
    @classmethod
    def _wrap_single_report(cls, given: Any) -> Any:  # unvalidated input
        return {"reports": [given]} if isinstance(given, dict) and "reports" not in given else given


class PlatformResultOut(WireModel):
    """Outcome of one report; `row` is its position in the call, from 0."""

    row: int
    outcome: Literal["updated", "unchanged", "rejected"]
    record_id: str | None
    platform: str
    followed_on: date
    problems: list[ProblemOut]


class PlatformResultsOut(WireModel):
    """One result for each report, in the order of the call."""

    results: list[PlatformResultOut]
