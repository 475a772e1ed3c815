"""Scans of revoked codes are counted apart."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TABLES = ("code_scan_today", "code_scan_day")


def upgrade() -> None:
    """Only valid codes were counted before."""
    for table in TABLES:
        op.add_column(
            table, sa.Column("revoked", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_primary_key(f"pk_{table}", table, ["code_id", "day", "revoked"])


def downgrade() -> None:
    """The counts of revoked codes are lost."""
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE revoked")  # noqa: S608  # constants
        op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.create_primary_key(f"pk_{table}", table, ["code_id", "day"])
        op.drop_column(table, "revoked")
