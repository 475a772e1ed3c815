"""Events of consents are leaves of the log."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Events from before have no leaf: one written now would claim what nobody could check then."""
    op.create_table(
        "consent_leaf",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("leaf_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("person_salt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "leaf_id", name=op.f("pk_consent_leaf")),
    )


def downgrade() -> None:
    """Take it back: without the salts the leaves in the log say nothing any more."""
    op.drop_table("consent_leaf")
