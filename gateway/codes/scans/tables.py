"""Tables of scans: exact until the day ends, then in bands alone."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.sql.naming import conv

from gateway.codes.scans.counter import BITS
from gateway.db.metadata import metadata

scans_of_today = Table(
    "code_scan_today",
    metadata,
    Column("code_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("scans", Integer, nullable=False),
    Column("networks", BIT(BITS), nullable=False),
    Column("revoked", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("code_id", "day", "revoked", name=conv("pk_code_scan_today")),
)
scans_of_days = Table(
    "code_scan_day",
    metadata,
    Column("code_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("scans_band", SmallInteger, nullable=False),
    Column("networks_band", SmallInteger, nullable=False),
    Column("unusual", Boolean, nullable=False),
    Column("revoked", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("code_id", "day", "revoked", name=conv("pk_code_scan_day")),
    Index(conv("ix_code_scan_day_day"), "day"),
)
