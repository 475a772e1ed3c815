"""Reorder the columns of the natural-key constraint of records; drop the index that it replaces."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Deliveries wait while it is built: minutes for ten million enterprises."""
    op.drop_constraint("uq_record_natural_key", "record", type_="unique")
    op.create_unique_constraint(
        "uq_record_natural_key", "record", ["uscc", "dataset", "source_id", "natural_key"]
    )
    op.drop_index("ix_record_uscc_dataset", table_name="record")


def downgrade() -> None:
    """Two indices again."""
    op.create_index("ix_record_uscc_dataset", "record", ["uscc", "dataset"])
    op.drop_constraint("uq_record_natural_key", "record", type_="unique")
    op.create_unique_constraint(
        "uq_record_natural_key", "record", ["uscc", "source_id", "dataset", "natural_key"]
    )
