"""Agreements that require signed requests, and the requests that were signed."""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before take a version with `signed_until` as ended."""
    op.add_column("agreement", sa.Column("signed_until", sa.DateTime(timezone=True)))
    op.create_table(
        "signed_request",
        *(
            sa.Column(each, sa.Text(), nullable=False)
            for each in ("uscc", "subject_id", "client_id")
        ),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "subject_id", name="pk_signed_request"),
    )
    op.create_index("ix_signed_request_subject_id", "signed_request", ["subject_id"])


def downgrade() -> None:
    """Versions that required signed requests have ended."""
    op.drop_table("signed_request")
    op.drop_column("agreement", "signed_until")
