"""Which consents end soon is looked up, where every consent was read."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Decisions wait while it is built: seconds for a million consents."""
    op.create_index(
        "ix_consent_ending",
        "consent",
        ["valid_until"],
        postgresql_where=sa.text("status IN ('active', 'paused')"),
    )


def downgrade() -> None:
    """Read them all again."""
    op.drop_index("ix_consent_ending", table_name="consent")
