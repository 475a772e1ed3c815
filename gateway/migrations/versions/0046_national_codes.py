"""National enterprise codes: the digest of each identifier, and its enterprise."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A small look-up table; no national code is accepted before one is loaded."""
    op.create_table(
        "national_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def downgrade() -> None:
    """They can be loaded again."""
    op.drop_table("national_code")
