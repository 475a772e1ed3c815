"""Agreements that require signed requests."""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before take a version with `signed_until` as ended."""
    op.add_column("agreement", sa.Column("signed_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Versions that required signed requests have ended."""
    op.drop_column("agreement", "signed_until")
