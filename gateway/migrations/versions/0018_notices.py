"""Notices to enterprises: what is to be told, and where to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Nobody has named a place yet."""
    op.create_table(
        "notice",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=True),
        _moment("at"),
        _moment("due_at"),
        sa.Column("begun", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reached", postgresql.ARRAY(sa.Text()), nullable=False),
        _moment("done_at", nullable=True),
        sa.PrimaryKeyConstraint("uscc", "notice_id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_due_at", "notice", ["due_at"], postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index("ix_notice_at", "notice", ["at"])
    op.create_table(
        "notice_place",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("link_digest", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_token_digest", sa.LargeBinary(), nullable=False),
        _moment("added_at"),
        _moment("confirmed_at", nullable=True),
        _moment("removed_at", nullable=True),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("ck_notice_place_channel")),
        sa.PrimaryKeyConstraint("uscc", "place_id", name=op.f("pk_notice_place")),
    )


def downgrade() -> None:
    """Take them back."""
    op.drop_table("notice_place")
    op.drop_table("notice")
