"""A client hears when a part of a consent is taken back."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BEFORE = (
    "kind IN ('record_corrected', 'record_repaired', 'record_withdrawn',"
    " 'consent_withdrawn', 'consent_expired', 'consent_granted', 'consent_refused')"
)
AFTER = (
    "kind IN ('record_corrected', 'record_repaired', 'record_withdrawn', 'consent_withdrawn',"
    " 'consent_narrowed', 'consent_expired', 'consent_granted', 'consent_refused')"
)


def upgrade() -> None:
    """One kind more."""
    op.drop_constraint(op.f("kind"), "tombstone", type_="check")
    op.create_check_constraint(op.f("kind"), "tombstone", AFTER)


def downgrade() -> None:
    """One kind less; notices of it are gone."""
    op.execute("DELETE FROM tombstone WHERE kind = 'consent_narrowed'")
    op.drop_constraint(op.f("kind"), "tombstone", type_="check")
    op.create_check_constraint(op.f("kind"), "tombstone", BEFORE)
