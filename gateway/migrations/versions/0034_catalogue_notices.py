"""Table `catalogue_notice_run`; notices of the kinds `record_ended` and `record_reinstated`."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BEFORE = (
    "kind IN ('record_corrected', 'record_repaired', 'record_withdrawn', 'consent_withdrawn',"
    " 'consent_narrowed', 'consent_expired', 'consent_granted', 'consent_refused')"
)
AFTER = (
    "kind IN ('record_corrected', 'record_repaired', 'record_withdrawn', 'record_ended',"
    " 'record_reinstated', 'consent_withdrawn', 'consent_narrowed', 'consent_expired',"
    " 'consent_granted', 'consent_refused')"
)


def upgrade() -> None:
    """A database with disclosures has been served by the version in force, or the published one."""
    op.create_table(
        "catalogue_notice_run",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "base", sa.Text(), comment="the version before; none for the first of a database"
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "position", sa.Text(), nullable=False, comment="USCC of the last enterprise compared"
        ),
        sa.Column("notices", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_catalogue_notice_run")),
    )
    op.execute(
        "INSERT INTO catalogue_notice_run (version, seen_at, position, notices, finished_at) "
        "SELECT coalesce((SELECT version FROM catalogue_version WHERE place IS NOT NULL "
        "ORDER BY place DESC LIMIT 1), '2026.1'), now(), '', 0, now() "
        "WHERE EXISTS (SELECT FROM disclosure)"
    )
    op.drop_constraint(op.f("kind"), "tombstone", type_="check")
    op.create_check_constraint(op.f("kind"), "tombstone", AFTER)


def downgrade() -> None:
    """Notices of the new kinds are lost."""
    op.execute("DELETE FROM tombstone WHERE kind IN ('record_ended', 'record_reinstated')")
    op.drop_constraint(op.f("kind"), "tombstone", type_="check")
    op.create_check_constraint(op.f("kind"), "tombstone", BEFORE)
    op.drop_table("catalogue_notice_run")
