"""Name of the person who accepted a delegation; an enterprise ends a cool-down early."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0046"
branch_labels = None
depends_on = None

BEFORE = (
    "'requested', 'granted', 'refused', 'paused', 'resumed', 'withdrawn', 'given_up', 'superseded', "
    "'amended'"
)


def upgrade() -> None:
    """Delegations accepted before have no name: only the account is known."""
    op.add_column("delegation", sa.Column("accepted_name", sa.LargeBinary()))
    op.drop_constraint("ck_consent_event_what", "consent_event")
    op.create_check_constraint(
        op.f("ck_consent_event_what"), "consent_event", f"what IN ({BEFORE}, 'cool_down_ended')"
    )


def downgrade() -> None:
    """Events of an ended cool-down must not be there."""
    op.drop_constraint("ck_consent_event_what", "consent_event")
    op.create_check_constraint(
        op.f("ck_consent_event_what"), "consent_event", f"what IN ({BEFORE})"
    )
    op.drop_column("delegation", "accepted_name")
