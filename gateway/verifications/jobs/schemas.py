"""Request and response models of verification jobs."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from gateway.access.http.body import WireModel
from gateway.verifications.jobs.lifecycle import JobState
from gateway.verifications.schemas import MAX_QUESTIONS, VerificationText

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class JobQuestionIn(WireModel):
    """A question that is asked of every line.

    `value` is the chosen band; `column` names the column of asserted values, `columns` those of a
    group's members. Without them the column is the one named as the question, of a group
    `question/member`.
    """

    question: VerificationText = Field(examples=["enterprise_name.v2"])
    value: VerificationText | None = None
    column: ColumnName | None = Field(default=None, examples=["企业名称"])
    columns: dict[str, ColumnName] | None = Field(default=None, max_length=8)


class JobIn(WireModel):
    """`POST /v1/verifications/jobs`: for CSV and xlsx the purpose and questions of all lines.

    A `bundle` stands for those of its questions that the agreement covers when the job is made.
    """

    purpose: VerificationText | None = Field(default=None, examples=["merchant_review"])
    bundle: VerificationText | None = Field(default=None, examples=["review.v1"])
    questions: (
        Annotated[list[JobQuestionIn], Field(min_length=1, max_length=MAX_QUESTIONS)] | None
    ) = None


class DeletionProofOut(WireModel):
    """The proof of deletion as a file: statement, salt and commitments."""

    proof: str
    salt: str
    commitments: list[str]


class JobOut(WireModel):
    """A verification job; members that do not apply are absent."""

    job_id: str
    state: JobState
    reason: str | None = Field(default=None, description="Why it is paused or was stopped.")
    resumes_at: str | None = Field(default=None, description="When it goes on by itself.")
    purpose: str | None = None
    questions: list[dict[str, Any]] | None = None
    lines: int
    broken: int = Field(description="Lines that cannot be asked; each has its problem as answer.")
    answered: int = Field(description="Lines with an answer or a problem, from the first.")
    problems: int = Field(description="Those with a problem.")
    created_at: str
    uploaded_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    collected_at: str | None = None
    ends_at: str | None = Field(
        default=None, description="When it is stopped unless a line is answered before."
    )
    expires_at: str | None = Field(default=None, description="When it is deleted by itself.")
    deletion: DeletionProofOut | None = Field(default=None, description="Once it is deleted.")


class JobsOut(WireModel):
    """A client's newest jobs."""

    jobs: list[JobOut]


class BrokenLineOut(WireModel):
    """A line that cannot be asked, and why."""

    line: int
    problem: dict[str, str]


class LinesOut(WireModel):
    """What was taken of an upload; of broken lines the first 20."""

    job_id: str
    state: JobState
    lines: int
    broken: int
    first_broken: list[BrokenLineOut]
