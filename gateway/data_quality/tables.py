"""Table of what comparisons of sources found, by month, source and dataset; local, and of no enterprise."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from gateway.db.column_types import columns
from gateway.db.metadata import metadata

comparison_count = Table(
    "comparison_count",
    metadata,
    Column("month", Date, nullable=False, comment="its first day"),
    *columns(Text, "source_id", "dataset", "fault"),
    *columns(BigInteger, "records", "enterprises"),
    PrimaryKeyConstraint("month", "source_id", "dataset", "fault", name="pk_comparison_count"),
    CheckConstraint("fault IN ('absent', 'differs')", name="fault"),
)
