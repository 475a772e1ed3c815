"""Response models of reports on codes, for the admin API's OpenAPI description."""

from typing import Annotated, Literal

from pydantic import Field

from gateway.access.http.body import WireModel
from gateway.admin.answer_schemas import Day, Time

AtLeast = Annotated[int, Field(ge=0, description="the lower edge of a band: 1, 3, 10, 30, …")]


class ReportGroundOut(WireModel):
    """A ground of reports, and how many named it."""

    ground: Literal[
        "different_name", "different_address", "covered", "asks_money_or_login", "other"
    ]
    at_least: AtLeast


class UnusualScansOut(WireModel):
    """A day on which far more networks scanned than on the code's usual days before.

    With `revoked`, one on which a revoked code was scanned from several networks: its sticker still hangs.
    """

    day: Day
    revoked: bool = False
    scans_at_least: AtLeast
    networks_at_least: AtLeast
    usual_scans_at_least: AtLeast
    usual_networks_at_least: AtLeast


class ReportedEnterpriseOut(WireModel):
    """The enterprise that a code was issued to."""

    uscc: str


class ReportDecisionOut(WireModel):
    """The operator's decision on a case."""

    outcome: Literal["dismissed", "confirmed"]
    reasons: str
    by: str
    at: Time
    revoked: bool


class CodeReportSummaryOut(WireModel):
    """A case: the reports on one code until a decision, and its last unusual day."""

    case_id: str
    code_id: str | None
    scanned: str | None = Field(
        description="what was scanned; null: many different ones, counted together. A queue shows ids "
        "alone: null for any other text"
    )
    enterprise: ReportedEnterpriseOut | None
    status: Literal["open", "dismissed", "confirmed"]
    reports_at_least: AtLeast
    grounds: list[ReportGroundOut]
    unusual_scans: UnusualScansOut | None
    first_at: Time
    last_at: Time
    due_on: Day | None
    decision: ReportDecisionOut | None


class CodeReportsOut(WireModel):
    """A page of cases; `after` is the cursor of the next page."""

    code_reports: list[CodeReportSummaryOut]
    after: str | None


class StoredReportOut(WireModel):
    """A report as a citizen wrote it, with personal numbers masked; its time to the hour."""

    ground: str
    text: str
    at: Time


class CodeReportOut(CodeReportSummaryOut):
    """A case with its stored reports, the newest first."""

    reports: list[StoredReportOut]
    not_kept_at_least: Annotated[
        int,
        Field(ge=0, description="reports that were counted and not kept, a lower edge as above"),
    ]
