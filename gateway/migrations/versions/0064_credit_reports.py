"""The enterprises' own credit reports, and their openings among the disclosures."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_POWERS = "'consents', 'record', 'objections', 'codes', 'repairs'"
_DISCLOSURES = "'verification', 'query', 'consent_request', 'watch'"


def upgrade() -> None:
    """There is no report yet."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "credit_report",
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("uscc", "report_id")),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        *(sa.Column(each, sa.LargeBinary()) for each in ("recipient", "file")),
        sa.Column("digests", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("registration_status", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", moment, nullable=False),
        sa.Column("taken_back_at", moment),
        sa.Column("taken_back_by", sa.Text()),
        sa.Column("taken_back_token_digest", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("uscc", "report_id", name="pk_credit_report"),
    )
    op.create_index("ix_credit_report_valid_until", "credit_report", ["valid_until"])
    op.create_table(
        "credit_report_locator",
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("report_id", "uscc")),
        sa.Column("valid_until", moment, nullable=False),
        sa.PrimaryKeyConstraint("report_id", name="pk_credit_report_locator"),
    )
    op.create_index(
        "ix_credit_report_locator_valid_until", "credit_report_locator", ["valid_until"]
    )
    _check("disclosure", "kind", f"kind IN ({_DISCLOSURES}, 'report')")
    _check("delegation", "ck_delegation_powers", f"powers <@ ARRAY[{_POWERS}, 'reports']")


def downgrade() -> None:
    """Reports and their openings go; the openings' leaves stay in the log."""
    op.execute("UPDATE delegation SET powers = array_remove(powers, 'reports')")
    op.execute("DELETE FROM delegation WHERE cardinality(powers) = 0")
    _check("delegation", "ck_delegation_powers", f"powers <@ ARRAY[{_POWERS}]")
    op.execute("DELETE FROM disclosure WHERE kind = 'report'")
    _check("disclosure", "kind", f"kind IN ({_DISCLOSURES})")
    for table in ("credit_report_locator", "credit_report"):
        op.drop_table(table)


def _check(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, condition)
