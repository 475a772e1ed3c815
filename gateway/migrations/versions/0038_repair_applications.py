"""Applications for repair, the platforms that follow one, and the power to apply."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

POWERS = "ARRAY['consents', 'record', 'objections', 'codes'"
IS_OPEN = sa.text("status = 'open'")


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _limit_powers(powers: str) -> None:
    op.drop_constraint("ck_delegation_powers", "delegation", type_="check")
    op.create_check_constraint(
        op.f("ck_delegation_powers"), "delegation", sa.text(f"powers <@ {powers}")
    )


def upgrade() -> None:
    """Delegates of before cannot apply."""
    op.create_table(
        "repair_application",
        *map(_text, ("uscc", "application_id", "dataset", "record_id")),
        *map(_text, ("source_id", "source_name", "status", "statement")),
        sa.Column("papers", JSONB(), nullable=False),
        _moment("applied_at"),
        _text("applied_by"),
        sa.Column("identity_token_digest", sa.LargeBinary(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        _text("reason", nullable=True),
        _moment("closed_at", nullable=True),
        _text("closed_by", nullable=True),
        sa.PrimaryKeyConstraint("uscc", "application_id", name="pk_repair_application"),
        sa.CheckConstraint(
            "status IN ('open', 'accepted', 'rejected', 'withdrawn', 'overtaken')",
            name="ck_repair_application_status",
        ),
        sa.CheckConstraint(
            "(status = 'open') = (closed_at IS NULL) AND (status = 'open') = (closed_by IS NULL)",
            name="ck_repair_application_closed",
        ),
    )
    op.create_index(
        "ux_repair_application_open",
        "repair_application",
        ["uscc", "record_id"],
        unique=True,
        postgresql_where=IS_OPEN,
    )
    op.create_index(
        "ix_repair_application_source_id", "repair_application", ["source_id", "application_id"]
    )
    op.create_index(
        "ix_repair_application_due_on",
        "repair_application",
        ["due_on"],
        postgresql_where=IS_OPEN,
    )
    op.create_table(
        "repair_application_locator",
        *map(_text, ("application_id", "uscc")),
        sa.PrimaryKeyConstraint("application_id", name="pk_repair_application_locator"),
    )
    op.create_table(
        "repair_platform",
        *map(_text, ("uscc", "record_id", "platform")),
        sa.Column("followed_on", sa.Date(), nullable=False),
        _moment("reported_at"),
        sa.PrimaryKeyConstraint("uscc", "record_id", "platform", name="pk_repair_platform"),
    )
    _limit_powers(f"{POWERS}, 'repairs']")


def downgrade() -> None:
    """Delegations lose the power to apply; one without another power ends."""
    op.execute(
        "UPDATE delegation SET powers = ARRAY['objections'], ended_at = coalesce(ended_at, now()),"
        " ended_by = coalesce(ended_by, 'downgrade') WHERE powers = ARRAY['repairs']"
    )
    op.execute("UPDATE delegation SET powers = array_remove(powers, 'repairs')")
    _limit_powers(f"{POWERS}]")
    for table in ("repair_platform", "repair_application_locator", "repair_application"):
        op.drop_table(table)
