"""A checkpoint is told once it is kept outside the database; those that were told already stay so."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before go on telling what they seal, and the next one keeps it outside."""
    op.add_column("checkpoint", sa.Column("published_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE checkpoint SET published_at = at")


def downgrade() -> None:
    """All is told at once again."""
    op.drop_column("checkpoint", "published_at")
