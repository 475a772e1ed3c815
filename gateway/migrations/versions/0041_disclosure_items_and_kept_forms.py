"""Outcome of a disclosure item by item, for the enterprise's access history; forms of ended sessions.

Disclosures of before have none: their history names what was asked alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before write disclosures and sessions without the new columns."""
    op.add_column("disclosure", sa.Column("items", postgresql.JSONB()))
    op.add_column("session", sa.Column("kept_page", sa.Text()))
    op.add_column("session", sa.Column("kept_form", sa.LargeBinary()))


def downgrade() -> None:
    """The outcomes are lost for the history; the answers themselves are in the clients' evidence."""
    op.drop_column("session", "kept_form")
    op.drop_column("session", "kept_page")
    op.drop_column("disclosure", "items")
