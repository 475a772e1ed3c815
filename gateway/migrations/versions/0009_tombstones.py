"""Notices to those who were told what is withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "tombstone",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Text(), nullable=True),
        sa.Column("disclosure_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('record_corrected', 'record_repaired', 'record_withdrawn',"
            " 'consent_withdrawn', 'consent_expired', 'consent_granted', 'consent_refused')",
            name="kind",
        ),
        sa.CheckConstraint("(record_id IS NULL) <> (consent_id IS NULL)", name="of_one_thing"),
        sa.CheckConstraint("(record_id IS NULL) = (dataset IS NULL)", name="dataset_of_record"),
        sa.PrimaryKeyConstraint("uscc", "change_id"),
    )
    op.create_index(
        "ix_tombstone_unacknowledged",
        "tombstone",
        ["client_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("tombstone")
