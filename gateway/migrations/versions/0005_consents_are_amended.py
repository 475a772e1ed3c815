"""A running consent may be changed in its place, on a request that names it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = (
    "'requested', 'granted', 'refused', 'paused', 'resumed', 'withdrawn', 'given_up', 'superseded'"
)


def upgrade() -> None:
    """Add where a request says what it amends, and the act itself."""
    op.add_column("consent", sa.Column("amends", sa.Text(), nullable=True))
    op.drop_constraint("ck_consent_event_what", "consent_event")
    op.create_check_constraint(
        op.f("ck_consent_event_what"), "consent_event", f"what IN ({BEFORE}, 'amended')"
    )


def downgrade() -> None:
    """Take them away; amended consents must not be there."""
    op.drop_constraint("ck_consent_event_what", "consent_event")
    op.create_check_constraint(
        op.f("ck_consent_event_what"), "consent_event", f"what IN ({BEFORE})"
    )
    op.drop_column("consent", "amends")
