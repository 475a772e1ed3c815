"""Outcomes of applications, as clients tell them of their queries."""

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """None is told yet."""
    op.create_table(
        "application_outcome",
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("uscc", "disclosure_id")),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("client_id", "outcome")),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        *(sa.Column(each, sa.LargeBinary(), nullable=False) for each in ("salt", "leaf_hash")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "disclosure_id", "version", name="pk_application_outcome"),
    )


def downgrade() -> None:
    """What was told goes; its leaves stay in the log."""
    op.drop_table("application_outcome")
