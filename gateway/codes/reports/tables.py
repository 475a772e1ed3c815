"""Tables of reports: one open case per code, and its first reports of each day with their texts."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.naming import conv

from gateway.codes.reports.model import ReportStatus
from gateway.db.column_types import Moment, columns
from gateway.db.metadata import metadata

_STATUSES = ", ".join(f"'{each}'" for each in ReportStatus)

cases = Table(
    "code_report_case",
    metadata,
    *columns(Text, "case_id", "code_key", "status"),
    *columns(Text, "uscc", nullable=True),
    Column("reports", Integer, nullable=False),
    Column("grounds", JSONB, nullable=False),
    Column("unusual", JSONB),
    *columns(Moment, "first_at", "last_at"),
    Column("stored_on", Date, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("decided_at", Moment),
    *columns(Text, "decided_by", "reasons", nullable=True),
    Column("revoked", Boolean, nullable=False),
    PrimaryKeyConstraint("case_id", name=conv("pk_code_report_case")),
    CheckConstraint(f"status IN ({_STATUSES})", name=conv("ck_code_report_case_status")),
    CheckConstraint(
        "(status = 'open') = (decided_at IS NULL)", name=conv("ck_code_report_case_decided")
    ),
    Index(
        conv("ux_code_report_case_open"),
        "code_key",
        unique=True,
        postgresql_where=text("status = 'open'"),
    ),
    Index(conv("ix_code_report_case_last_at"), "last_at", "case_id"),
    Index(conv("ix_code_report_case_code_key"), "code_key"),
    Index(conv("ix_code_report_case_unknown"), "first_at", postgresql_where=text("uscc IS NULL")),
)

reports = Table(
    "code_report",
    metadata,
    *columns(Text, "report_id", "case_id", "ground", "text"),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("report_id", name=conv("pk_code_report")),
    Index(conv("ix_code_report_case_id"), "case_id"),
    Index(conv("ix_code_report_at"), "at"),
)
