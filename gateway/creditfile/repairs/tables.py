"""Tables of applications for repair, and of the platforms that followed a repair."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.naming import conv

from gateway.creditfile.repairs.model import ApplicationStatus
from gateway.db.column_types import Moment, columns
from gateway.db.metadata import metadata

_STATUSES = ", ".join(f"'{each}'" for each in ApplicationStatus)

applications = Table(
    "repair_application",
    metadata,
    *columns(Text, "uscc", "application_id", "dataset", "record_id"),
    *columns(Text, "source_id", "source_name", "status", "statement"),
    Column("papers", JSONB, nullable=False),
    Column("applied_at", Moment, nullable=False),
    *columns(Text, "applied_by"),
    Column("identity_token_digest", LargeBinary),
    Column("due_on", Date, nullable=False),
    Column("due_provisional", Boolean, nullable=False),
    *columns(Text, "reason", nullable=True),
    *columns(Moment, "closed_at", nullable=True),
    *columns(Text, "closed_by", nullable=True),
    PrimaryKeyConstraint("uscc", "application_id", name=conv("pk_repair_application")),
    CheckConstraint(f"status IN ({_STATUSES})", name=conv("ck_repair_application_status")),
    CheckConstraint(
        "(status = 'open') = (closed_at IS NULL) AND (status = 'open') = (closed_by IS NULL)",
        name=conv("ck_repair_application_closed"),
    ),
    Index(
        conv("ux_repair_application_open"),
        "uscc",
        "record_id",
        unique=True,
        postgresql_where=text("status = 'open'"),
    ),
    Index(conv("ix_repair_application_source_id"), "source_id", "application_id"),
    Index(conv("ix_repair_application_due_on"), "due_on", postgresql_where=text("status = 'open'")),
)

application_locators = Table(
    "repair_application_locator",
    metadata,
    *columns(Text, "application_id", "uscc"),
    PrimaryKeyConstraint("application_id", name=conv("pk_repair_application_locator")),
)

platforms = Table(
    "repair_platform",
    metadata,
    *columns(Text, "uscc", "record_id", "platform"),
    Column("followed_on", Date, nullable=False),
    Column("reported_at", Moment, nullable=False),
    PrimaryKeyConstraint("uscc", "record_id", "platform", name=conv("pk_repair_platform")),
)
