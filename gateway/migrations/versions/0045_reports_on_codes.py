"""Reports on enterprise codes, and coarse scan counts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0045"
down_revision = "0043"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Workers of the release before neither read nor write these tables."""
    op.create_table(
        "code_report_case",
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text()),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("grounds", postgresql.JSONB(), nullable=False),
        sa.Column("unusual", postgresql.JSONB()),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("stored_on", sa.Date(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("reasons", sa.Text()),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name="pk_code_report_case"),
        sa.CheckConstraint(
            "status IN ('open', 'dismissed', 'confirmed')", name="ck_code_report_case_status"
        ),
        sa.CheckConstraint(
            "(status = 'open') = (decided_at IS NULL)", name="ck_code_report_case_decided"
        ),
    )
    op.create_index(
        "ux_code_report_case_open",
        "code_report_case",
        ["code_key"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_code_report_case_last_at", "code_report_case", ["last_at", "case_id"])
    op.create_index("ix_code_report_case_code_key", "code_report_case", ["code_key"])
    op.create_index(
        "ix_code_report_case_unknown",
        "code_report_case",
        ["first_at"],
        postgresql_where=sa.text("uscc IS NULL"),
    )
    op.create_table(
        "code_report",
        sa.Column("report_id", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("report_id", name="pk_code_report"),
    )
    op.create_index("ix_code_report_case_id", "code_report", ["case_id"])
    op.create_index("ix_code_report_at", "code_report", ["at"])
    op.create_table(
        "code_scan_today",
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scans", sa.Integer(), nullable=False),
        sa.Column("networks", postgresql.BIT(1024), nullable=False),
        sa.PrimaryKeyConstraint("code_id", "day", name="pk_code_scan_today"),
    )
    op.create_table(
        "code_scan_day",
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scans_band", sa.SmallInteger(), nullable=False),
        sa.Column("networks_band", sa.SmallInteger(), nullable=False),
        sa.Column("unusual", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code_id", "day", name="pk_code_scan_day"),
    )
    op.create_index("ix_code_scan_day_day", "code_scan_day", ["day"])


def downgrade() -> None:
    """Reports and counts are lost; the acts on them stay in the operators' log."""
    for table in ("code_scan_day", "code_scan_today", "code_report", "code_report_case"):
        op.drop_table(table)
