"""Watches: lists, the enterprises on them, the outbox of changed files, and their notices."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None

_KINDS = (
    "'record_corrected', 'record_repaired', 'record_suspended', 'record_withdrawn',"
    " 'record_ended', 'record_reinstated', 'consent_withdrawn', 'consent_narrowed',"
    " 'consent_expired', 'consent_granted', 'consent_refused'"
)
_ONE_THING = "(record_id IS NULL) <> (consent_id IS NULL)"
_DISCLOSURES = "'verification', 'query', 'consent_request'"


def upgrade() -> None:
    """Nobody watches yet."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "watch_list",
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("client_id", "name", "purpose")),
        sa.Column("questions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("enterprises", sa.Integer(), nullable=False),
        sa.Column("catalogue_version", sa.Text(), nullable=False),
        *(sa.Column(each, moment, nullable=False) for each in ("created_at", "replaced_at")),
        sa.PrimaryKeyConstraint("client_id", "name", name="pk_watch_list"),
    )
    op.create_table(
        "watch",
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("uscc", "client_id", "name")),
        sa.Column("marks", sa.LargeBinary()),
        *(sa.Column(each, moment, nullable=False) for each in ("due_at", "since")),
        sa.PrimaryKeyConstraint("uscc", "client_id", "name", name="pk_watch"),
    )
    op.create_index("ix_watch_list", "watch", ["client_id", "name"])
    op.create_index("ix_watch_due_at", "watch", ["due_at"])
    op.create_table(
        "changed_file",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "usccs",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="enterprises whose file has changed",
        ),
        sa.PrimaryKeyConstraint("change_id", name="pk_changed_file"),
    )
    op.add_column("tombstone", sa.Column("questions", sa.ARRAY(sa.Text())))
    _check("tombstone", "kind", f"kind IN ({_KINDS}, 'answer_may_have_changed')")
    _check("tombstone", "of_one_thing", "num_nonnulls(record_id, consent_id, questions) = 1")
    _check("disclosure", "kind", f"kind IN ({_DISCLOSURES}, 'watch')")


def downgrade() -> None:
    """What was told of watches goes; its leaves stay in the log."""
    op.execute("DELETE FROM tombstone WHERE questions IS NOT NULL")
    op.execute("DELETE FROM disclosure WHERE kind = 'watch'")
    _check("disclosure", "kind", f"kind IN ({_DISCLOSURES})")
    _check("tombstone", "of_one_thing", _ONE_THING)
    _check("tombstone", "kind", f"kind IN ({_KINDS})")
    op.drop_column("tombstone", "questions")
    for table in ("changed_file", "watch", "watch_list"):
        op.drop_table(table)


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, condition)
