"""Suspended records, acts on records that wait for a second person, notices to enterprises on a record."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

BEFORE = (
    "kind IN ('record_corrected', 'record_repaired', 'record_withdrawn', 'record_ended',"
    " 'record_reinstated', 'consent_withdrawn', 'consent_narrowed', 'consent_expired',"
    " 'consent_granted', 'consent_refused')"
)
AFTER = (
    "kind IN ('record_corrected', 'record_repaired', 'record_suspended', 'record_withdrawn',"
    " 'record_ended', 'record_reinstated', 'consent_withdrawn', 'consent_narrowed',"
    " 'consent_expired', 'consent_granted', 'consent_refused')"
)


def upgrade() -> None:
    """No record is suspended yet; no row is written."""
    op.add_column("record", sa.Column("suspended_at", sa.DateTime(timezone=True)))
    op.add_column("record_history", sa.Column("operator", sa.Text(), comment="who asked for it"))
    op.add_column(
        "record_history", sa.Column("approved_by", sa.Text(), comment="the second person, if any")
    )
    op.add_column("notice", sa.Column("dataset", sa.Text()))
    op.add_column("notice", sa.Column("repairable_on", sa.Date()))
    op.create_table(
        "record_action",
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("uscc", "action_id", "source_id", "dataset", "record_id", "natural_key")
        ),
        sa.Column("record_version", sa.Integer(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text()),
        sa.Column("approved_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("verb IN ('reinstate', 'revoke_repair')", name=op.f("verb")),
        sa.CheckConstraint(
            "(approved_by IS NULL) = (approved_at IS NULL)", name=op.f("approved_by_somebody")
        ),
        sa.PrimaryKeyConstraint("uscc", "action_id", name=op.f("pk_record_action")),
    )
    op.create_index("ix_record_action_source_id", "record_action", ["source_id", "action_id"])
    op.drop_constraint(op.f("kind"), "tombstone", type_="check")
    op.create_check_constraint(op.f("kind"), "tombstone", AFTER)


def downgrade() -> None:
    """What is suspended stays untold, as repaired; notices of suspensions become those of repairs."""
    op.execute("UPDATE tombstone SET kind = 'record_repaired' WHERE kind = 'record_suspended'")
    op.drop_constraint(op.f("kind"), "tombstone", type_="check")
    op.create_check_constraint(op.f("kind"), "tombstone", BEFORE)
    op.drop_index("ix_record_action_source_id", table_name="record_action")
    op.drop_table("record_action")
    op.drop_column("notice", "repairable_on")
    op.drop_column("notice", "dataset")
    op.drop_column("record_history", "approved_by")
    op.drop_column("record_history", "operator")
    op.execute(
        "UPDATE record SET repaired_at = coalesce(repaired_at, suspended_at)"
        " WHERE suspended_at IS NOT NULL"
    )
    op.drop_column("record", "suspended_at")
