"""Add the texts shown before a decision (`consent_text`), each stored once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the texts, and the digest of the one that a decision was made before."""
    op.create_table(
        "consent_text",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column(
            "zh",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="the paragraphs, in their order",
        ),
        sa.Column("en", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_consent_text"),
    )
    op.add_column("consent_event", sa.Column("text_digest", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("consent_event", "text_digest")
    op.drop_table("consent_text")
