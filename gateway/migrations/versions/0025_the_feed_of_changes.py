"""Each client's notices are counted in an order that is given after commit."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the counters, and the ways to the next notices."""
    op.create_table(
        "change_feed",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_index("ix_tombstone_feed", "tombstone", ["client_id", "cursor"])
    op.create_index(
        "ix_tombstone_unnumbered",
        "tombstone",
        ["occurred_at", "change_id"],
        postgresql_where=sa.text("cursor IS NULL"),
    )


def downgrade() -> None:
    """Take them back; notices keep their places."""
    op.drop_index("ix_tombstone_unnumbered", "tombstone")
    op.drop_index("ix_tombstone_feed", "tombstone")
    op.drop_table("change_feed")
