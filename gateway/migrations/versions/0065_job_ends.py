"""When a verification job that cannot go on is stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before start jobs without it; the worker that claims one sets it."""
    op.add_column("verification_job", sa.Column("ends_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """A job that cannot go on is never stopped."""
    op.drop_column("verification_job", "ends_at")
