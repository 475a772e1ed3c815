"""A notice is a row written with what it tells of; where notices go is sealed (R17)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, text
from sqlmodel import Field, SQLModel

from gateway.db import columns


class NoticeRow(SQLModel, table=True):
    """One thing to tell one enterprise. `reached` are the places that have it already."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due_at", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_notice_at", "at"),
    )

    uscc: str = columns.text(primary_key=True)
    notice_id: str = columns.text(primary_key=True)
    kind: str = columns.text()
    client_id: str | None = columns.text(nullable=True)
    at: datetime = columns.moment()
    due_at: datetime = columns.moment()
    begun: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    failures: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    reached: list[str] = columns.texts()
    done_at: datetime | None = columns.moment(nullable=True)


class NoticePlaceRow(SQLModel, table=True):
    """Where an enterprise's notices go, from when its owner has confirmed it by a link."""

    __tablename__ = "notice_place"
    __table_args__ = (CheckConstraint("channel IN ('email', 'sms')", name="channel"),)

    uscc: str = columns.text(primary_key=True)
    place_id: str = columns.text(primary_key=True)
    channel: str = columns.text()
    address: bytes | None = columns.digest(nullable=True)
    link_digest: bytes = columns.digest()
    added_by: str = columns.text()
    added_token_digest: bytes = columns.digest()
    added_at: datetime = columns.moment()
    confirmed_at: datetime | None = columns.moment(nullable=True)
    confirmed_by: str | None = columns.text(nullable=True)
    confirmed_token_digest: bytes | None = columns.digest(nullable=True)
    removed_at: datetime | None = columns.moment(nullable=True)
    removed_by: str | None = columns.text(nullable=True)
    removed_token_digest: bytes | None = columns.digest(nullable=True)
