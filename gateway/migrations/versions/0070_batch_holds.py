"""Who answers a batch at the moment, so that the same batch sent twice at once is answered once."""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before neither set nor look at it."""
    op.add_column("verification_batch", sa.Column("holder", sa.Text()))
    op.add_column("verification_batch", sa.Column("held_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """The same batch sent twice at once is charged twice."""
    op.drop_column("verification_batch", "held_until")
    op.drop_column("verification_batch", "holder")
