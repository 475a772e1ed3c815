"""Indexes by source and moment, for the figures of data quality."""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0065"
branch_labels = None
depends_on = None

TABLES = ("record", "enterprise")


def upgrade() -> None:
    """Building them holds up deliveries, not reads: about ten seconds for ten million rows."""
    for table in TABLES:
        op.create_index(f"ix_{table}_source_id", table, ["source_id", "received_at"])
        op.create_index(
            f"ix_{table}_history_source_id",
            f"{table}_history",
            [sa.text("(\"row\" ->> 'source_id')"), "replaced_at"],
        )


def downgrade() -> None:
    """Figures of data quality are read from the whole tables."""
    for table in TABLES:
        op.drop_index(f"ix_{table}_history_source_id", table_name=f"{table}_history")
        op.drop_index(f"ix_{table}_source_id", table_name=table)
