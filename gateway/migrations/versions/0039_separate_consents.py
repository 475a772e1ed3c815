"""Separate consents by field and question (PIPL), the retention shown, declared automated decisions.

Consents of before name none: what only a separate consent opens is told under a new one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before write consents without the new columns."""
    separate = sa.Column(
        "separate_consents",
        postgresql.JSONB(),
        nullable=False,
        server_default=sa.text("'[]'::jsonb"),
    )
    op.add_column("consent", separate)
    named = "the recipient's, as named before the decision"
    op.add_column("consent", sa.Column("retention_days", sa.Integer(), comment=named))
    asked = sa.Column("separate_consents", postgresql.JSONB(), comment="null: not asked for yet")
    op.add_column("consent_event", asked)
    op.add_column("agreement", sa.Column("automated_decisions", sa.Boolean()))


def downgrade() -> None:
    """What was consented to separately is lost: nothing personal is told under these consents."""
    op.drop_column("agreement", "automated_decisions")
    op.drop_column("consent_event", "separate_consents")
    op.drop_column("consent", "retention_days")
    op.drop_column("consent", "separate_consents")
