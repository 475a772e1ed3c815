"""Filings of agencies in parts (R13), and the retention that an agreement allows.

An agency of before keeps its number; its agreement does not end with a filing until the rest is known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

PARTS = {
    "filing_kind": sa.Text,
    "filing_authority": sa.Text,
    "filing_checked_on": sa.Date,
    "filing_valid_until": sa.Date,
}


def upgrade() -> None:
    """Workers of the release before register clients without the new columns."""
    for name, kind in PARTS.items():
        op.add_column("client", sa.Column(name, kind(), nullable=True))
    op.add_column(
        "agreement", sa.Column("retention_days", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """The filing numbers stay."""
    op.drop_column("agreement", "retention_days")
    for name in PARTS:
        op.drop_column("client", name)
