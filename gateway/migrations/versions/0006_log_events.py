"""What the log says in public, with the bytes and the salt of each leaf; rows are only added."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and its triggers."""
    op.create_table(
        "log_event",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_log_event")),
    )
    op.execute("""
        CREATE TRIGGER log_event_kept BEFORE UPDATE OR DELETE ON log_event
        FOR EACH ROW EXECUTE FUNCTION xinqiao_never_changes()""")
    op.execute("""
        CREATE TRIGGER log_event_kept_whole BEFORE TRUNCATE ON log_event
        FOR EACH STATEMENT EXECUTE FUNCTION xinqiao_never_changes()""")


def downgrade() -> None:
    """Take it back."""
    op.drop_table("log_event")
