"""A refused request for consent is a row of the log of disclosures."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BEFORE = "kind IN ('verification', 'query')"
AFTER = "kind IN ('verification', 'query', 'consent_request')"


def upgrade() -> None:
    """One kind more."""
    op.drop_constraint(op.f("kind"), "disclosure", type_="check")
    op.create_check_constraint(op.f("kind"), "disclosure", AFTER)


def downgrade() -> None:
    """One kind less; what the log holds stays in it, so there must be none of it."""
    op.drop_constraint(op.f("kind"), "disclosure", type_="check")
    op.create_check_constraint(op.f("kind"), "disclosure", BEFORE)
