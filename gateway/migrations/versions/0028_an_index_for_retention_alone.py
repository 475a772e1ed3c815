"""The index by which retention finds old records draws no other look-up to itself.

By its plain first column it did: where statistics did not know a dataset yet, a look-up by USCC read all
of the dataset instead, for each row of a delivery.
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Deliveries wait while it is built: a minute or two for ten million enterprises."""
    op.drop_index("ix_record_dataset_decided", table_name="record")
    op.execute("""
        CREATE INDEX ix_record_retention
        ON record ((dataset || ''), coalesce(determined_on, decided_on))""")


def downgrade() -> None:
    """Nothing but speed depends on it."""
    op.drop_index("ix_record_retention", table_name="record")
    op.execute("""
        CREATE INDEX ix_record_dataset_decided
        ON record (dataset, coalesce(determined_on, decided_on))""")
