"""Verification jobs: their lines and answers, encrypted, and how far they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
MOMENTS = ("uploaded_at", "started_at", "ended_at", "collected_at", "expires_at")


def upgrade() -> None:
    """Workers of the release before neither read nor write these tables."""
    op.create_table(
        "verification_job",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("resumes_at", MOMENT),
        sa.Column("purpose", sa.Text()),
        sa.Column("questions", postgresql.JSONB()),
        sa.Column("upload_id", sa.Text()),
        sa.Column("request_digest", sa.LargeBinary()),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("broken", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.Column("tree", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text()),
        sa.Column("held_until", MOMENT),
        sa.Column("served_at", MOMENT),
        sa.Column("created_at", MOMENT, nullable=False),
        *(sa.Column(name, MOMENT) for name in MOMENTS),
        sa.Column("deletion_id", sa.Text()),
        sa.PrimaryKeyConstraint("job_id", name="pk_verification_job"),
        sa.CheckConstraint(
            "state IN ('created', 'ready', 'running', 'paused', 'done', 'stopped', 'deleted')",
            name="ck_verification_job_state",
        ),
        sa.CheckConstraint(
            "completed BETWEEN 0 AND answered AND answered <= lines",
            name="ck_verification_job_answered",
        ),
    )
    op.create_index(
        "ix_verification_job_client_id", "verification_job", ["client_id", "created_at"]
    )
    op.create_index("ix_verification_job_expires_at", "verification_job", ["expires_at"])
    op.create_table(
        "verification_job_set",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("first_line", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("asked", sa.LargeBinary()),
        sa.Column("answers", sa.LargeBinary()),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint(
            "job_id", "upload_id", "first_line", name="pk_verification_job_set"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["verification_job.job_id"],
            name="fk_verification_job_set_job_id_verification_job",
            ondelete="CASCADE",
        ),
    )
    for column in ("asked", "answers"):  # packed and sealed: compressing it is in vain
        op.execute(f"ALTER TABLE verification_job_set ALTER COLUMN {column} SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Jobs are lost; what their lines disclosed stays in the log."""
    op.drop_table("verification_job_set")
    op.drop_table("verification_job")
