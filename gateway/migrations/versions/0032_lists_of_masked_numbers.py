"""A job knows how long its list of masked numbers is, so that a run that was killed goes on with it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before begin jobs without it."""
    op.add_column(
        "intake_job",
        sa.Column("masked_bytes", sa.BigInteger(), nullable=False, server_default="0"),
    )


def downgrade() -> None:
    """The lists stay in their folder until they are tidied away."""
    op.drop_column("intake_job", "masked_bytes")
