"""Figures of data quality, kept once they are counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Figures were counted for each call."""
    op.create_table(
        "quality_figures",
        sa.Column("month", sa.Date(), nullable=False, comment="its first day"),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("source_id", "versions")),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "seconds", postgresql.DOUBLE_PRECISION(), nullable=False, comment="that counting took"
        ),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("month", "source_id", name="pk_quality_figures"),
    )


def downgrade() -> None:
    """They are counted for each call again."""
    op.drop_table("quality_figures")
