"""Anomalies in what clients ask: the reader's place in the log, clients' days, what was flagged."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def _moments(*names: str, nullable: bool) -> list[sa.Column[datetime]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def upgrade() -> None:
    """Calls of before are not counted: the reader begins at the log's end."""
    op.create_table(
        "anomaly_cursor",
        sa.Column("is_only", sa.Boolean(), nullable=False),
        sa.Column("next_index", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("is_only", name="pk_anomaly_cursor"),
    )
    op.execute("INSERT INTO anomaly_cursor SELECT true, coalesce(max(index) + 1, 0) FROM log_entry")
    op.create_table(
        "client_activity",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("calls", "yes", "no")),
        *(sa.Column(n, sa.LargeBinary(), nullable=False) for n in ("codes", "cells", "spent")),
        sa.Column("areas", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "day", name="pk_client_activity"),
    )
    op.create_table(
        "anomaly",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("anomaly_id", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        *_moments("first_at", "last_at", nullable=False),
        *_moments("throttled_until", "lifted_at", nullable=True),
        sa.Column("lifted_by", sa.Text()),
        *_moments("alert_due_at", nullable=True),
        sa.Column("alert_failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("client_id", "day", "kind", name="pk_anomaly"),
        sa.CheckConstraint(
            "kind IN ('sequential_codes', 'no_share', 'spent_budgets', 'division_sweep')",
            name="kind",
        ),
    )
    op.create_index("ix_anomaly_anomaly_id", "anomaly", ["anomaly_id"], unique=True)
    op.create_index(
        "ix_anomaly_alert_due_at",
        "anomaly",
        ["alert_due_at"],
        postgresql_where=sa.text("alert_due_at IS NOT NULL"),
    )


def downgrade() -> None:
    """What was flagged is lost; it holds no evidence."""
    for table in ("anomaly", "client_activity", "anomaly_cursor"):
        op.drop_table(table)
