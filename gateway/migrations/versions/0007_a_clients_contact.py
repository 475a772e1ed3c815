"""A client has a contact, which the separate consent of an individual business names."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; clients registered before have none."""
    op.add_column("client", sa.Column("contact", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the column away."""
    op.drop_column("client", "contact")
