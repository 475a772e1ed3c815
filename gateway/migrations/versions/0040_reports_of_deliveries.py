"""Rows passed over, columns not kept and the Chinese sentence of an ingest; an upload's own columns.

Workers of the release before write jobs and uploads without them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Jobs of before passed nothing over."""
    counted = sa.Column("passed_over", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("intake_job", counted)
    ignored = sa.Column(
        "ignored_columns", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")
    )
    op.add_column("intake_job", ignored)
    op.add_column("intake_job", sa.Column("sentence_zh", sa.Text()))
    op.add_column("intake_upload", sa.Column("sentence_zh", sa.Text()))
    op.add_column("intake_upload", sa.Column("columns", postgresql.JSONB()))
    unknown: sa.Column[bool] = sa.Column(
        "ignore_unknown", sa.Boolean(), nullable=False, server_default=sa.text("false")
    )
    op.add_column("intake_upload", unknown)


def downgrade() -> None:
    """Uploads that wait lose the names of their columns, and are refused by their header."""
    for name in ("ignore_unknown", "columns", "sentence_zh"):
        op.drop_column("intake_upload", name)
    for name in ("sentence_zh", "ignored_columns", "passed_over"):
        op.drop_column("intake_job", name)
