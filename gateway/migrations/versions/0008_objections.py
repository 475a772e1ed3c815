"""Objections, what was done to each, and where to find them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACTS = (
    "'raised', 'extended', 'decided', 'review_asked', 'reviewed', 'withdrawn', 'lapsed', "
    "'recounted', 'forgotten'"
)
OUTCOMES = "'upheld', 'partly', 'rejected', 'withdrawn', 'record_deleted'"


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    """Make the tables. One objection to a record at most is not closed."""
    op.create_table(
        "objection",
        *map(_text, ("uscc", "objection_id", "kind", "dataset", "record_id")),
        sa.Column("record_version", sa.Integer(), nullable=False),
        *map(_text, ("source_id", "source_name", "status")),
        *(_text(name, nullable=True) for name in ("outcome", "text", "wanted", "reasons")),
        *(_text(name, nullable=True) for name in ("review_text", "review_reasons")),
        _instant("raised_at", nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("latest_on", sa.Date(), nullable=False),
        *map(_instant, ("extended_at", "decided_at", "review_asked_at", "reviewed_at", "final_at")),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "objection_id", name="pk_objection"),
        sa.CheckConstraint("kind IN ('objection', 'rating_appeal')", name="ck_objection_kind"),
        sa.CheckConstraint(
            "status IN ('open', 'decided', 'in_review', 'ordered', 'closed')",
            name="ck_objection_status",
        ),
        sa.CheckConstraint(
            f"outcome IS NULL OR outcome IN ({OUTCOMES})", name="ck_objection_outcome"
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (final_at IS NOT NULL) AND (status = 'closed') = (due_on IS NULL)",
            name="ck_objection_closed",
        ),
    )
    op.create_index(
        "ux_objection_open",
        "objection",
        ["uscc", "record_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_index("ix_objection_source_id", "objection", ["source_id", "objection_id"])
    op.create_index(
        "ix_objection_due_on",
        "objection",
        ["due_on"],
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_table(
        "objection_event",
        *map(_text, ("uscc", "objection_id")),
        sa.Column("seq", sa.Integer(), nullable=False),
        *map(_text, ("what", "role", "actor")),
        _instant("at", nullable=False),
        _text("outcome", nullable=True),
        _text("reason", nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("identity_token_digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("uscc", "objection_id", "seq", name="pk_objection_event"),
        sa.CheckConstraint(f"what IN ({ACTS})", name="ck_objection_event_what"),
        sa.CheckConstraint(
            "role IN ('enterprise', 'source', 'reviewer', 'clock')", name="ck_objection_event_role"
        ),
    )
    op.create_table(
        "objection_locator",
        *map(_text, ("objection_id", "uscc")),
        sa.PrimaryKeyConstraint("objection_id", name="pk_objection_locator"),
    )


def downgrade() -> None:
    """Take them back."""
    for table in ("objection_locator", "objection_event", "objection"):
        op.drop_table(table)
