"""A consent keeps which fields stood behind its datasets when it was given."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of what was given before it is not known: the datasets alone bind there."""
    comment = "dataset.field, as named before the decision"
    op.add_column("consent", sa.Column("fields", ARRAY(sa.Text()), nullable=True, comment=comment))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("consent", "fields")
