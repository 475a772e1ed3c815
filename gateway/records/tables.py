"""Table of uploads (`intake_upload`); small, and not distributed by enterprise."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from gateway.db import column_types


class UploadRow(SQLModel, table=True):
    """One uploaded file of one source; ingested by a job of the same id."""

    __tablename__ = "intake_upload"
    __table_args__ = (
        CheckConstraint(
            "state IN ('receiving', 'queued', 'running', 'done', 'stopped')", name="state"
        ),
        CheckConstraint("received BETWEEN 0 AND length", name="received"),
        Index("ix_intake_upload_source_id", "source_id", "created_at"),
    )

    upload_id: str = column_types.text(primary_key=True)
    source_id: str = column_types.text()
    dataset: str = column_types.text()
    format: str = column_types.text()
    encoding: str = column_types.text()
    file_name: str | None = column_types.text(nullable=True)
    length: int = Field(sa_type=BigInteger)
    received: int = Field(sa_type=BigInteger)
    sha256: bytes = column_types.digest()
    state: str = column_types.text()
    sentence: str | None = column_types.text(nullable=True)
    sentence_zh: str | None = column_types.text(nullable=True)
    columns: dict[str, Any] | None = column_types.document(nullable=True)
    ignore_unknown: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    sheet: str | None = column_types.text(nullable=True)
    counts: dict[str, Any] | None = column_types.document(nullable=True)
    attempts: int = Field()
    holder: str | None = column_types.text(nullable=True)
    held_until: datetime | None = column_types.moment(nullable=True)
    created_at: datetime = column_types.moment()
    completed_at: datetime | None = column_types.moment(nullable=True)
    expires_at: datetime = column_types.moment()
