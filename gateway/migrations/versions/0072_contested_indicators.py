"""Indicator and reason code that a rating appeal contests (R15)."""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None

_COLUMNS = ("scheme", "indicator", "reason_code")


def upgrade() -> None:
    """Appeals of before contest the rating as a whole."""
    for name in _COLUMNS:
        op.add_column("objection", sa.Column(name, sa.Text()))


def downgrade() -> None:
    """An appeal contests a rating as a whole."""
    for name in _COLUMNS:
        op.drop_column("objection", name)
