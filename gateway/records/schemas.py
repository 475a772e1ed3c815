"""Request and response models of `/v1/records` and its jobs; row contents are validated by ingest."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from gateway.access.http.body import WireModel
from gateway.creditfile.field_problems import ProblemCode
from gateway.ingest.actions.verdicts import ActionVerb
from gateway.rfc3339 import Day

MAX_ROWS_PER_CALL = 1_000
MAX_BATCH_BYTES = 8 * 1024 * 1024

Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Row = dict[str, JsonValue]


class RecordsIn(WireModel):
    """`POST /v1/records`: up to 1,000 rows of one dataset, each with `uscc` and its fields."""

    any_number: ClassVar[bool] = True

    dataset: Code = Field(examples=["licence"])
    records: Annotated[list[Row], Field(min_length=1, max_length=MAX_ROWS_PER_CALL)]


class ProblemOut(WireModel):
    """A field and the reason it was rejected, without its value.

    `reason` and `accepted` are in the language of `Accept-Language`; `field` is `?` for a whole row.
    """

    field: str
    reason: str
    code: ProblemCode
    accepted: str
    """Accepted forms, or the nearest values of the catalogue; may be empty."""


class MaskedOut(WireModel):
    """Position of a masked personal number in a text as sent, in characters (code points).

    `field` is the record's, or `reason` of an action; `item` is the index in a list.
    """

    row: int
    field: str
    item: int | None = None
    kind: Literal["id", "phone"]
    start: int
    length: int


class _RowOut(WireModel):
    row: int
    key: str | None
    record_id: str | None
    version: int | None
    warnings: list[str]
    warning_details: list[MaskedOut]
    problems: list[ProblemOut]


class ResultOut(_RowOut):
    """Outcome of one row; `row` is its position in the call, from 0."""

    outcome: Literal["created", "updated", "unchanged", "rejected"]


class ResultsOut(WireModel):
    """One result for each row, in the order of the call."""

    results: list[ResultOut]


Operator = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class ActionIn(WireModel):
    """One action on one record; `fields` only for `correct`.

    `operator` is the person who acts; `reinstate` and `revoke_repair` need one.
    """

    dataset: Code
    uscc: Annotated[str, StringConstraints(max_length=64)]
    key: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    action: ActionVerb
    reason: Annotated[str, StringConstraints(max_length=3_000)]
    decided_on: Day
    operator: Operator | None = None
    fields: Row | None = None


class ActionsIn(WireModel):
    """`POST /v1/records/actions`: up to 1,000 in `actions`, or the members of one without it."""

    any_number: ClassVar[bool] = True

    actions: Annotated[list[ActionIn], Field(min_length=1, max_length=MAX_ROWS_PER_CALL)]

    @model_validator(mode="before")
    @classmethod
    def _wrap_single_action(cls, given: Any) -> Any:  # unvalidated input
        return {"actions": [given]} if isinstance(given, dict) and "actions" not in given else given


class ActionResultOut(_RowOut):
    """Outcome of one action. Of a `pending` one, another operator approves `action_id` before it lapses."""

    outcome: Literal["updated", "unchanged", "pending", "rejected"]
    action_id: str | None
    lapses_at: str | None


class ActionResultsOut(WireModel):
    """One result for each action, in the order of the call."""

    results: list[ActionResultOut]


class RecordApprovalIn(WireModel):
    """`POST /v1/records/actions/{action_id}/approve`: the person who approves."""

    operator: Operator


class WaitingActionOut(WireModel):
    """An action of two persons; `record_version` is the version that it is on."""

    action_id: str
    action: Literal["reinstate", "revoke_repair"]
    status: Literal["pending", "approved"]
    dataset: str
    uscc: str
    key: str | None
    record_id: str
    record_version: int
    reason: str
    decided_on: date
    operator: str
    requested_at: str
    lapses_at: str
    approved_by: str | None
    approved_at: str | None


class WaitingActionsOut(WireModel):
    """A page of actions of two persons; `after` is the cursor of the next page."""

    actions: list[WaitingActionOut]
    after: str | None


class OverdueRecordOut(WireModel):
    """A listing that is disclosed no more since its term is over; its removal was not reported."""

    dataset: str
    uscc: str
    key: str
    ended_on: date


class OverdueOut(WireModel):
    """Overdue listings, oldest first, at most 1,000."""

    records: list[OverdueRecordOut]


class JobOut(WireModel):
    """An uploaded file and its progress; counts are rows, lengths are bytes."""

    job_id: str
    dataset: str
    file_name: str | None
    state: Literal["receiving", "queued", "running", "done", "stopped"]
    sentence: str | None
    length: int
    received: int
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    passed_over: int
    """Rows of natural persons, of which nothing is kept."""
    ignored_columns: list[str]
    """Columns of the file that are not kept."""
    warnings: dict[str, int]
    lists_cut: bool
    """The rejected rows or the warnings were more than their list holds: its last line says so."""
    created_at: str
    completed_at: str | None
    expires_at: str


class JobsOut(WireModel):
    """Jobs, newest first."""

    jobs: list[JobOut]
