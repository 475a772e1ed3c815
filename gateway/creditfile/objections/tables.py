"""Tables of objections, their events and the index by id; one open objection per record at most."""

from enum import StrEnum

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
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
from gateway.db.metadata import metadata

_Instant = DateTime(timezone=True)


def _one_of(column: str, values: type[StrEnum]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


objections = Table(
    "objection",
    metadata,
    Column("uscc", Text, nullable=False),
    Column("objection_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("record_version", Integer, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("outcome", Text),
    Column("text", Text),
    Column("wanted", Text),
    Column("reasons", Text),
    Column("review_text", Text),
    Column("review_reasons", Text),
    Column("raised_at", _Instant, nullable=False),
    Column("due_on", Date),
    Column("due_provisional", Boolean, nullable=False),
    Column("latest_on", Date, nullable=False),
    Column("extended_at", _Instant),
    Column("decided_at", _Instant),
    Column("review_asked_at", _Instant),
    Column("reviewed_at", _Instant),
    Column("final_at", _Instant),
    Column("version", Integer, nullable=False),
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
    Column("uscc", Text, nullable=False),
    Column("objection_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", _Instant, nullable=False),
    Column("outcome", Text),
    Column("reason", Text),
    Column("due_on", Date),
    Column("identity_token_digest", LargeBinary),
    PrimaryKeyConstraint("uscc", "objection_id", "seq", name=conv("pk_objection_event")),
    CheckConstraint(_one_of("what", ObjectionAct), name=conv("ck_objection_event_what")),
    CheckConstraint(_one_of("role", Role), name=conv("ck_objection_event_role")),
)

objection_locators = Table(
    "objection_locator",
    metadata,
    Column("objection_id", Text, nullable=False),
    Column("uscc", Text, nullable=False),
    PrimaryKeyConstraint("objection_id", name=conv("pk_objection_locator")),
)
