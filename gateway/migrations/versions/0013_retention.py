"""Proofs of deletion, which only ever come; and the days whose retention has been seen to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "deletion_proof",
        sa.Column("deletion_id", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitments", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("deletion_id"),
    )
    op.execute("""
        CREATE TRIGGER deletion_proof_kept BEFORE UPDATE OR DELETE ON deletion_proof
        FOR EACH ROW EXECUTE FUNCTION xinqiao_never_changes()""")
    op.execute("""
        CREATE TRIGGER deletion_proof_kept_whole BEFORE TRUNCATE ON deletion_proof
        FOR EACH STATEMENT EXECUTE FUNCTION xinqiao_never_changes()""")
    op.create_table(
        "retention_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_table("retention_day")
    op.drop_table("deletion_proof")
