"""Tables of what comparisons found and of counted figures, by month and source; local."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

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

quality_figures = Table(
    "quality_figures",
    metadata,
    Column("month", Date, nullable=False, comment="its first day"),
    *columns(Text, "source_id", "versions"),
    Column("counted_at", DateTime(timezone=True), nullable=False),
    Column("seconds", DOUBLE_PRECISION, nullable=False, comment="that counting took"),
    Column("figures", JSONB, nullable=False),
    PrimaryKeyConstraint("month", "source_id", name="pk_quality_figures"),
)
