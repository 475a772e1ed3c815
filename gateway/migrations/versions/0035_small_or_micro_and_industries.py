"""Small or micro enterprises and the industries of a scope of business, in the registration."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Unknown until a source delivers them; no row is written."""
    op.add_column(
        "enterprise",
        sa.Column(
            "small_or_micro", sa.Boolean(), comment="on the list of small and micro enterprises"
        ),
    )
    op.add_column(
        "enterprise",
        sa.Column("small_or_micro_on", sa.Date(), comment="the day from which that holds"),
    )
    op.add_column(
        "enterprise",
        sa.Column(
            "scope_industries",
            postgresql.ARRAY(sa.Text()),
            comment="GB/T 4754, as the authority gives them",
        ),
    )


def downgrade() -> None:
    """The new fields of registrations are lost."""
    for column in ("scope_industries", "small_or_micro_on", "small_or_micro"):
        op.drop_column("enterprise", column)
