"""Enterprise codes: label, expiry, successor, batch, author, and the registration that was printed."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TEXTS = ("printed_name", "printed_division", "issued_by", "replaced_by", "batch_id")


def upgrade() -> None:
    """Codes issued before count as printed with the registration of today; their author is unknown."""
    op.add_column(
        "enterprise_code", sa.Column("label", sa.Text(), nullable=False, server_default="")
    )
    for name in TEXTS:
        op.add_column("enterprise_code", sa.Column(name, sa.Text()))
    op.add_column("enterprise_code", sa.Column("issued_token_digest", sa.LargeBinary()))
    op.add_column("enterprise_code", sa.Column("expires_at", MOMENT))
    op.execute("""
        UPDATE enterprise_code AS c SET printed_name = e.name, printed_division = e.division
          FROM enterprise AS e WHERE e.uscc = c.uscc""")
    op.create_index(
        "ix_enterprise_code_batch",
        "enterprise_code",
        ["batch_id", "uscc"],
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_table(
        "enterprise_code_batch",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("division", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.PrimaryKeyConstraint("batch_id"),
    )


def downgrade() -> None:
    """A code that has expired would be valid again: it is revoked."""
    op.drop_table("enterprise_code_batch")
    op.drop_index("ix_enterprise_code_batch", "enterprise_code")
    op.execute("""
        UPDATE enterprise_code SET revoked_at = expires_at
         WHERE revoked_at IS NULL AND expires_at <= now()""")
    for name in ("expires_at", "issued_token_digest", *reversed(TEXTS), "label"):
        op.drop_column("enterprise_code", name)
