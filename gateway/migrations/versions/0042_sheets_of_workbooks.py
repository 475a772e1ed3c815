"""Sheet of a delivered workbook, where its source has named one."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before write uploads and jobs without a sheet."""
    op.add_column("intake_upload", sa.Column("sheet", sa.Text()))
    op.add_column("intake_job", sa.Column("sheet", sa.Text()))


def downgrade() -> None:
    """A workbook that waits is read by the only sheet whose header is known."""
    op.drop_column("intake_job", "sheet")
    op.drop_column("intake_upload", "sheet")
