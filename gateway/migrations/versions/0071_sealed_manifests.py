"""Digests of what batches and jobs asked, and the manifests that hold them, encrypted.

The digest of a request of one line is guessed by trial, and with it an ID number that came in clear.
"""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

COLUMNS = (
    ("verification_batch", "sealed_manifest"),
    ("verification_job", "sealed_manifest"),
    ("verification_job", "sealed_digest"),
)


def upgrade() -> None:
    """Workers of the release before go on writing the others, which are read until they are deleted."""
    for table, column in COLUMNS:
        op.add_column(table, sa.Column(column, sa.LargeBinary()))


def downgrade() -> None:
    """Manifests made since cannot be shown again."""
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column)
