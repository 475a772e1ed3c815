"""What comparisons of sources found, for the figures of data quality."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Comparisons of before were kept in files."""
    op.create_table(
        "comparison_count",
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source_id", "dataset", "fault")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("records", "enterprises")),
        sa.PrimaryKeyConstraint(
            "month", "source_id", "dataset", "fault", name="pk_comparison_count"
        ),
        sa.CheckConstraint("fault IN ('absent', 'differs')", name="fault"),
    )


def downgrade() -> None:
    """What comparisons found stays in their own files."""
    op.drop_table("comparison_count")
