"""Add person and ID-token digest to revoked codes, and to confirmed and removed contact points."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ADDED = (("enterprise_code", "revoked"), ("notice_place", "confirmed"), ("notice_place", "removed"))


def upgrade() -> None:
    """What was done before says nothing of it."""
    for table, done in ADDED:
        op.add_column(table, sa.Column(f"{done}_by", sa.Text(), nullable=True))
        op.add_column(table, sa.Column(f"{done}_token_digest", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Forget it."""
    for table, done in reversed(ADDED):
        op.drop_column(table, f"{done}_token_digest")
        op.drop_column(table, f"{done}_by")
