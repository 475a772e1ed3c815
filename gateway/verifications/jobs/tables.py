"""Tables of verification jobs; local to the coordinator, since a job is about many enterprises.

Lines and answers are encrypted, each set for its own row (`sealing`); asked lines are deleted in the
transaction that stores the last of their answers.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from gateway.db import column_types


class VerificationJobRow(SQLModel, table=True):
    """One job of one client.

    `answered` lines have an answer; the first `completed` of them stand in whole sets, and `tree` is
    the frontier of their leaves. A started job is stopped at `ends_at` unless a line is answered before.
    `request_digest` and `manifest` are those of before they were encrypted.
    """

    __tablename__ = "verification_job"
    __table_args__ = (
        CheckConstraint(
            "state IN ('created', 'ready', 'running', 'paused', 'done', 'stopped', 'deleted')",
            name="state",
        ),
        CheckConstraint("completed BETWEEN 0 AND answered AND answered <= lines", name="answered"),
        Index("ix_verification_job_client_id", "client_id", "created_at"),
        Index("ix_verification_job_expires_at", "expires_at"),
    )

    job_id: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    state: str = column_types.text()
    reason: str | None = column_types.text(nullable=True)
    resumes_at: datetime | None = column_types.moment(nullable=True)
    purpose: str | None = column_types.text(nullable=True)
    questions: list[Any] | None = column_types.document(nullable=True)
    upload_id: str | None = column_types.text(nullable=True)
    request_digest: bytes | None = column_types.digest(nullable=True)
    sealed_digest: bytes | None = column_types.digest(nullable=True)
    lines: int = Field()
    broken: int = Field()
    answered: int = Field()
    completed: int = Field()
    problems: int = Field()
    tree: bytes = column_types.digest()
    manifest: str | None = column_types.text(nullable=True)
    sealed_manifest: bytes | None = column_types.digest(nullable=True)
    attempts: int = Field()
    holder: str | None = column_types.text(nullable=True)
    held_until: datetime | None = column_types.moment(nullable=True)
    served_at: datetime | None = column_types.moment(nullable=True)
    created_at: datetime = column_types.moment()
    uploaded_at: datetime | None = column_types.moment(nullable=True)
    started_at: datetime | None = column_types.moment(nullable=True)
    ended_at: datetime | None = column_types.moment(nullable=True)
    collected_at: datetime | None = column_types.moment(nullable=True)
    ends_at: datetime | None = column_types.moment(nullable=True)
    expires_at: datetime | None = column_types.moment(nullable=True)
    deletion_id: str | None = column_types.text(nullable=True)


class VerificationJobSetRow(SQLModel, table=True):
    """Some lines of an upload: what they ask until all are answered, and the answers to `told` of them."""

    __tablename__ = "verification_job_set"
    __table_args__ = (
        ForeignKeyConstraint(["job_id"], ["verification_job.job_id"], ondelete="CASCADE"),
    )

    job_id: str = column_types.text(primary_key=True)
    upload_id: str = column_types.text(primary_key=True)
    first_line: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    lines: int = Field()
    told: int = Field()
    asked: bytes | None = column_types.digest(nullable=True)
    answers: bytes | None = column_types.digest(nullable=True)
    at: datetime = column_types.moment()
