"""Tables of anomalies: the reader's place in the log, each client's day, what was flagged."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from gateway.db import column_types


class AnomalyCursorRow(SQLModel, table=True):
    """The index of the first log entry that is not counted yet."""

    __tablename__ = "anomaly_cursor"

    is_only: bool = Field(primary_key=True)
    next_index: int = Field(sa_type=BigInteger)


class ClientActivityRow(SQLModel, table=True):
    """Counts and sketches of what one client asked on one day; they name no enterprise."""

    __tablename__ = "client_activity"

    client_id: str = column_types.text(primary_key=True)
    day: date = Field(primary_key=True)
    calls: int = Field(sa_type=BigInteger)
    yes: int = Field(sa_type=BigInteger)
    no: int = Field(sa_type=BigInteger)
    codes: bytes = column_types.digest()
    cells: bytes = column_types.digest()
    spent: bytes = column_types.digest()
    areas: dict[str, Any] = column_types.document()


class AnomalyRow(SQLModel, table=True):
    """One kind of anomaly of one client and day, whether it throttles, and its alert."""

    __tablename__ = "anomaly"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('sequential_codes', 'no_share', 'spent_budgets', 'division_sweep')",
            name="kind",
        ),
        Index("ix_anomaly_anomaly_id", "anomaly_id", unique=True),
        Index(
            "ix_anomaly_alert_due_at",
            "alert_due_at",
            postgresql_where=text("alert_due_at IS NOT NULL"),
        ),
    )

    client_id: str = column_types.text(primary_key=True)
    day: date = Field(primary_key=True)
    kind: str = column_types.text(primary_key=True)
    anomaly_id: str = column_types.text()
    counts: dict[str, Any] = column_types.document()
    first_at: datetime = column_types.moment()
    last_at: datetime = column_types.moment()
    throttled_until: datetime | None = column_types.moment(nullable=True)
    lifted_at: datetime | None = column_types.moment(nullable=True)
    lifted_by: str | None = column_types.text(nullable=True)
    alert_due_at: datetime | None = column_types.moment(nullable=True)
    alert_failures: int = Field(sa_column_kwargs={"server_default": "0"})
