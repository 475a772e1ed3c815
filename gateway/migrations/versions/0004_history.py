"""What was held on a day can be told: when a row came, and what it took the place of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rows that are there already count as received now. `now()` is constant here: no rewrite."""
    for table in ("enterprise", "record"):
        op.add_column(
            table,
            sa.Column(
                "received_at",
                sa.DateTime(timezone=True),
                server_default=sa.text("now()"),
                nullable=False,
            ),
        )
    op.add_column(
        "record",
        sa.Column(
            "personal",
            sa.LargeBinary(),
            nullable=True,
            comment="sealed JSON: the personal fields that are not public",
        ),
    )
    op.add_column("record", sa.Column("digests", postgresql.JSONB(), nullable=True))
    _make_history("enterprise_history", "uscc", "version")
    _make_history("record_history", "uscc", "record_id", "version")


def _make_history(name: str, *key: str) -> None:
    op.create_table(
        name,
        *(sa.Column(each, sa.Text(), nullable=False) for each in key if each != "version"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("row", postgresql.JSONB(), nullable=False),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"),
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_table("record_history")
    op.drop_table("enterprise_history")
    op.drop_column("record", "digests")
    op.drop_column("record", "personal")
    op.drop_column("record", "received_at")
    op.drop_column("enterprise", "received_at")
