"""Database tables of notices and contact points; addresses are encrypted (R17)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, Integer, text
from sqlmodel import Field, SQLModel

from gateway.db import column_types


class NoticeRow(SQLModel, table=True):
    """One notice to one enterprise. `reached`: contact points already served."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_due_at", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_notice_at", "at"),
    )

    uscc: str = column_types.text(primary_key=True)
    notice_id: str = column_types.text(primary_key=True)
    kind: str = column_types.text()
    client_id: str | None = column_types.text(nullable=True)
    dataset: str | None = column_types.text(nullable=True)
    repairable_on: date | None = Field(default=None, sa_type=Date, nullable=True)
    at: datetime = column_types.moment()
    due_at: datetime = column_types.moment()
    begun: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    failures: int = Field(default=0, sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    reached: list[str] = column_types.texts()
    done_at: datetime | None = column_types.moment(nullable=True)


class NoticePlaceRow(SQLModel, table=True):
    """A contact point, used once its owner has confirmed it by a link."""

    __tablename__ = "notice_place"
    __table_args__ = (CheckConstraint("channel IN ('email', 'sms')", name="channel"),)

    uscc: str = column_types.text(primary_key=True)
    place_id: str = column_types.text(primary_key=True)
    channel: str = column_types.text()
    address: bytes | None = column_types.digest(nullable=True)
    link_digest: bytes = column_types.digest()
    added_by: str = column_types.text()
    added_token_digest: bytes = column_types.digest()
    added_at: datetime = column_types.moment()
    confirmed_at: datetime | None = column_types.moment(nullable=True)
    confirmed_by: str | None = column_types.text(nullable=True)
    confirmed_token_digest: bytes | None = column_types.digest(nullable=True)
    removed_at: datetime | None = column_types.moment(nullable=True)
    removed_by: str | None = column_types.text(nullable=True)
    removed_token_digest: bytes | None = column_types.digest(nullable=True)
