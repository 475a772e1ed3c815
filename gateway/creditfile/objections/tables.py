"""Tables of objections, their events and the index by id; one open objection per record at most."""

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.sql.naming import conv

from gateway.creditfile.objections.model import (
    ObjectionAct,
    ObjectionKind,
    ObjectionOutcome,
    Role,
    Status,
)
from gateway.db.column_types import Moment, columns
from gateway.db.metadata import metadata


def _one_of(column: str, values: type[StrEnum]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


objections = Table(
    "objection",
    metadata,
    *columns(Text, "uscc", "objection_id", "kind", "dataset", "record_id"),
    Column("record_version", Integer, nullable=False),
    *columns(Text, "source_id", "source_name", "status"),
    *columns(Text, "outcome", "text", "wanted", nullable=True),
    *columns(Text, "reasons", "review_text", "review_reasons", nullable=True),
    Column("raised_at", Moment, nullable=False),
    Column("due_on", Date),
    Column("due_provisional", Boolean, nullable=False),
    Column("latest_on", Date, nullable=False),
    *columns(Moment, "extended_at", "decided_at", nullable=True),
    *columns(Moment, "review_asked_at", "reviewed_at", "final_at", nullable=True),
    Column("version", Integer, nullable=False),
    *columns(Text, "scheme", "indicator", "reason_code", nullable=True),
    PrimaryKeyConstraint("uscc", "objection_id", name=conv("pk_objection")),
    CheckConstraint(_one_of("kind", ObjectionKind), name=conv("ck_objection_kind")),
    CheckConstraint(_one_of("status", Status), name=conv("ck_objection_status")),
    CheckConstraint(
        f"outcome IS NULL OR {_one_of('outcome', ObjectionOutcome)}",
        name=conv("ck_objection_outcome"),
    ),
    CheckConstraint(
        "(status = 'closed') = (final_at IS NOT NULL) AND (status = 'closed') = (due_on IS NULL)",
        name=conv("ck_objection_closed"),
    ),
    Index(
        conv("ux_objection_open"),
        "uscc",
        "record_id",
        unique=True,
        postgresql_where=text("status <> 'closed'"),
    ),
    Index(conv("ix_objection_source_id"), "source_id", "objection_id"),
    Index(conv("ix_objection_due_on"), "due_on", postgresql_where=text("status <> 'closed'")),
)

objection_events = Table(
    "objection_event",
    metadata,
    *columns(Text, "uscc", "objection_id"),
    Column("seq", Integer, nullable=False),
    *columns(Text, "what", "role", "actor"),
    Column("at", Moment, nullable=False),
    *columns(Text, "outcome", "reason", nullable=True),
    Column("due_on", Date),
    Column("identity_token_digest", LargeBinary),
    PrimaryKeyConstraint("uscc", "objection_id", "seq", name=conv("pk_objection_event")),
    CheckConstraint(_one_of("what", ObjectionAct), name=conv("ck_objection_event_what")),
    CheckConstraint(_one_of("role", Role), name=conv("ck_objection_event_role")),
)

objection_locators = Table(
    "objection_locator",
    metadata,
    *columns(Text, "objection_id", "uscc"),
    PrimaryKeyConstraint("objection_id", name=conv("pk_objection_locator")),
)
