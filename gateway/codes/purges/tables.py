"""Tables of purges: the outbox, and the lease for as long as which it is written."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.sql.naming import conv

from gateway.db.column_types import Moment, Texts
from gateway.db.metadata import metadata

page_purge = Table(
    "page_purge",
    metadata,
    Column("purge_id", BigInteger, Identity(always=True), nullable=False),
    Column("uscc", Text, nullable=False, comment="empty: all pages"),
    Column("noted_at", Moment, nullable=False, server_default=text("clock_timestamp()")),
    Column("due_at", Moment, nullable=False, server_default=text("clock_timestamp()")),
    Column("is_repeat", Boolean, nullable=False, server_default=text("false")),
    Column(
        "needs_code",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="not sent where the enterprise has no code",
    ),
    PrimaryKeyConstraint("purge_id", name=conv("pk_page_purge")),
    Index(conv("ix_page_purge_due_at"), "due_at"),
)
page_purge_lease = Table(
    "page_purge_lease",
    metadata,
    Column("is_only", Boolean, nullable=False, server_default=text("true")),
    Column("until", Moment, nullable=False),
    Column("datasets", Texts, nullable=False, comment="whose changes are noted"),
    Column("since", BigInteger, comment="a transaction since which all see it"),
    PrimaryKeyConstraint("is_only", name=conv("pk_page_purge_lease")),
)
