"""Which version of the folding the natural keys lie under, and what became part of what."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Where records are held, `xinqiao-gateway record refold` comes next: until then nothing is taken."""
    op.create_table(
        "key_folding",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "reached",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="folded up to this USCC",
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_key_folding")),
    )
    op.execute("""
        INSERT INTO key_folding (version, finished_at)
        SELECT 'keys.v2', now() WHERE NOT EXISTS (SELECT FROM record)""")
    op.add_column(
        "record_history",
        sa.Column(
            "merged_into",
            sa.Text(),
            nullable=True,
            comment="the record that this one became part of",
        ),
    )


def downgrade() -> None:
    """Keys stay as they were folded."""
    op.drop_column("record_history", "merged_into")
    op.drop_table("key_folding")
