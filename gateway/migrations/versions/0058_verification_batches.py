"""Batches of verifications: what their manifests stand on."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A batch holds digests and line numbers, nothing of what was asked."""
    op.create_table(
        "verification_batch",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("declared_digest", sa.LargeBinary()),
        sa.Column("marks", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("prefixes", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("manifest", sa.Text()),
        sa.Column("numbers", sa.ARRAY(sa.BigInteger())),
        sa.Column("leaves", sa.LargeBinary()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name="pk_verification_batch"),
        sa.UniqueConstraint("client_id", "key", name="uq_verification_batch_client_id_key"),
    )
    op.create_index("ix_verification_batch_created_at", "verification_batch", ["created_at"])


def downgrade() -> None:
    """Take the table back."""
    op.drop_table("verification_batch")
