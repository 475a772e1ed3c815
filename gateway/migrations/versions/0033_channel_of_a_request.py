"""A consent says how it was requested: by redirect, by link or in the portal."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before write consents of the default."""
    op.add_column(
        "consent",
        sa.Column(
            "channel",
            sa.Text(),
            nullable=False,
            server_default="link",
            comment="how it was requested",
        ),
    )
    op.execute(
        "UPDATE consent SET channel = e.channel FROM consent_event e "
        "WHERE e.uscc = consent.uscc AND e.consent_id = consent.consent_id AND e.seq = 1 "
        "AND e.channel <> 'link'"
    )
    op.create_check_constraint(
        op.f("ck_consent_channel"), "consent", "channel IN ('api', 'redirect', 'link', 'portal')"
    )
    op.create_index("ix_interaction_request_digest", "interaction", ["request_digest"])


def downgrade() -> None:
    """The events keep it."""
    op.drop_index("ix_interaction_request_digest", "interaction")
    op.drop_constraint(op.f("ck_consent_channel"), "consent")
    op.drop_column("consent", "channel")
