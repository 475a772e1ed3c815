"""Legal representatives appoint delegates; a change of representative ends them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Nobody is a delegate yet."""
    op.create_table(
        "delegation",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("delegation_id", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("powers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("representative", sa.Text(), nullable=False),
        sa.Column("appointed_by", sa.Text(), nullable=False),
        sa.Column("appointed_token_digest", sa.LargeBinary(), nullable=False),
        _moment("appointed_at"),
        _moment("invited_until"),
        _moment("ends_at"),
        sa.Column("subject", sa.Text(), nullable=True),
        _moment("accepted_at", nullable=True),
        sa.Column("accepted_token_digest", sa.LargeBinary(), nullable=True),
        _moment("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_token_digest", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("cardinality(powers) > 0", name=op.f("ck_delegation_some_power")),
        sa.CheckConstraint(
            "powers <@ ARRAY['consents', 'record', 'objections', 'codes']",
            name=op.f("ck_delegation_powers"),
        ),
        sa.CheckConstraint(
            "(subject IS NULL) = (accepted_at IS NULL)",
            name=op.f("ck_delegation_accepted_by_somebody"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)",
            name=op.f("ck_delegation_ended_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("uscc", "delegation_id", name=op.f("pk_delegation")),
    )
    op.create_table(
        "delegation_locator",
        sa.Column("invitation_digest", sa.LargeBinary(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("delegation_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("invitation_digest", name=op.f("pk_delegation_locator")),
    )
    op.create_index("ix_delegation_locator_subject", "delegation_locator", ["subject"])
    op.create_table(
        "representative_change",
        sa.Column("uscc", sa.Text(), nullable=False),
        _moment("changed_at"),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_representative_change")),
    )
    op.create_table(
        "consent_kept",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        _moment("kept_at"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("identity_token_digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "consent_id", name=op.f("pk_consent_kept")),
    )


def downgrade() -> None:
    """Take them back."""
    for table in ("consent_kept", "representative_change", "delegation_locator", "delegation"):
        op.drop_table(table)
