"""Add an index of records by dataset and date, for retention."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Deliveries wait while it is built: a minute or two for ten million enterprises."""
    op.execute("""
        CREATE INDEX ix_record_dataset_decided
        ON record (dataset, coalesce(determined_on, decided_on))""")


def downgrade() -> None:
    """Nothing but speed depends on it."""
    op.drop_index("ix_record_dataset_decided", table_name="record")
