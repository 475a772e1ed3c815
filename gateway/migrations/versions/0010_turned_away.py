"""Add hourly counts of rate-limited refusals (`turned_away`)."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "turned_away",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "uscc", "client_id", "kind", "reason", "hour", name=op.f("pk_turned_away")
        ),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("turned_away")
