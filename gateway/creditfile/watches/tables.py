"""Tables of watches: the clients' lists, the enterprises on them, and the outbox of changed files."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Identity, Index, PrimaryKeyConstraint, Table
from sqlalchemy.sql.naming import conv
from sqlmodel import Field, SQLModel

from gateway.db import column_types
from gateway.db.column_types import Texts
from gateway.db.metadata import metadata


class WatchListRow(SQLModel, table=True):
    """A client's list: its purpose and questions. Whoever writes the rows of a list holds its lock."""

    __tablename__ = "watch_list"

    client_id: str = column_types.text(primary_key=True)
    name: str = column_types.text(primary_key=True)
    purpose: str = column_types.text()
    questions: list[str] = column_types.texts()
    enterprises: int = Field()
    catalogue_version: str = column_types.text()
    """The catalogue under which its answers are compared."""
    created_at: datetime = column_types.moment()
    replaced_at: datetime = column_types.moment()


class WatchRow(SQLModel, table=True):
    """One enterprise on one list, known to the credit file or not.

    `marks` are keyed digests of the answers by which they were compared last, `MARK_BYTES` for each of
    the list's questions; none until they are read for the first time. At `due_at` they are compared
    again, if no record changes before.
    """

    __tablename__ = "watch"
    __table_args__ = (
        Index("ix_watch_list", "client_id", "name"),
        Index("ix_watch_due_at", "due_at"),
    )

    uscc: str = column_types.text(primary_key=True)
    client_id: str = column_types.text(primary_key=True)
    name: str = column_types.text(primary_key=True)
    marks: bytes | None = column_types.digest(nullable=True)
    due_at: datetime = column_types.moment()
    since: datetime = column_types.moment()


changed_file = Table(
    "changed_file",
    metadata,
    Column("change_id", BigInteger, Identity(always=True), nullable=False),
    Column("usccs", Texts, nullable=False, comment="enterprises whose file has changed"),
    PrimaryKeyConstraint("change_id", name=conv("pk_changed_file")),
)
