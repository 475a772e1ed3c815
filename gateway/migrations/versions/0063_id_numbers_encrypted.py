"""How ID numbers arrive, by agreement; agreements of before leave it open."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before write agreements without it."""
    op.add_column("agreement", sa.Column("id_numbers", sa.Text()))


def downgrade() -> None:
    """ID numbers arrive over the bound channel."""
    op.drop_column("agreement", "id_numbers")
