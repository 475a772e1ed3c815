"""A refresh token is bound to its client's authentication, and to no key of it."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget which key or certificate each came with."""
    op.drop_column("refresh_token", "dpop_jkt")
    op.drop_column("refresh_token", "x5t_s256")


def downgrade() -> None:
    """What is there goes on for its client, whatever key it has."""
    op.add_column("refresh_token", sa.Column("dpop_jkt", sa.Text(), nullable=True))
    op.add_column("refresh_token", sa.Column("x5t_s256", sa.Text(), nullable=True))
