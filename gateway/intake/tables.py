"""A file on its way here is of no enterprise: this table is small, and not distributed."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from gateway.db import columns


class UploadRow(SQLModel, table=True):
    """One file of one source: received, then taken by a job under the same id."""

    __tablename__ = "intake_upload"
    __table_args__ = (
        CheckConstraint(
            "state IN ('receiving', 'queued', 'running', 'done', 'stopped')", name="state"
        ),
        CheckConstraint("received BETWEEN 0 AND length", name="received"),
        Index("ix_intake_upload_source_id", "source_id", "created_at"),
    )

    upload_id: str = columns.text(primary_key=True)
    source_id: str = columns.text()
    dataset: str = columns.text()
    format: str = columns.text()
    encoding: str = columns.text()
    file_name: str | None = columns.text(nullable=True)
    length: int = Field(sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger)
    sha256: bytes = columns.digest()
    state: str = columns.text()
    sentence: str | None = columns.text(nullable=True)
    counts: dict[str, Any] | None = columns.document(nullable=True)
    attempts: int = Field()
    holder: str | None = columns.text(nullable=True)
    held_until: datetime | None = columns.moment(nullable=True)
    created_at: datetime = columns.moment()
    completed_at: datetime | None = columns.moment(nullable=True)
    expires_at: datetime = columns.moment()
