"""Clients may authenticate by a certificate, and what they hold may be bound to one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SUBJECTS = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
BOUND = ("pushed_request", "authorization_code", "refresh_token")


def upgrade() -> None:
    """Whoever is registered already goes on with private_key_jwt."""
    op.add_column(
        "client",
        sa.Column(
            "token_endpoint_auth_method",
            sa.Text(),
            server_default="private_key_jwt",
            nullable=False,
        ),
    )
    for name in SUBJECTS:
        op.add_column("client", sa.Column(name, sa.Text(), nullable=True))
    op.add_column(
        "client",
        sa.Column(
            "tls_client_certificate_bound_access_tokens",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
        ),
    )
    op.create_check_constraint(
        "token_endpoint_auth_method",
        "client",
        "token_endpoint_auth_method IN"
        " ('private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth')",
    )
    op.create_check_constraint(
        "tls_client_auth_subject",
        "client",
        f"num_nonnulls({', '.join(SUBJECTS)})"
        " = (token_endpoint_auth_method = 'tls_client_auth')::int",
    )
    for table in BOUND:
        op.add_column(table, sa.Column("x5t_s256", sa.Text(), nullable=True))
    op.alter_column("refresh_token", "dpop_jkt", nullable=True)


def downgrade() -> None:
    """Take them back; a refresh token that no key is bound to cannot stay."""
    op.execute("DELETE FROM refresh_token WHERE dpop_jkt IS NULL")
    op.alter_column("refresh_token", "dpop_jkt", nullable=False)
    for table in BOUND:
        op.drop_column(table, "x5t_s256")
    op.drop_constraint("tls_client_auth_subject", "client")
    op.drop_constraint("token_endpoint_auth_method", "client")
    op.drop_column("client", "tls_client_certificate_bound_access_tokens")
    for name in SUBJECTS:
        op.drop_column("client", name)
    op.drop_column("client", "token_endpoint_auth_method")
