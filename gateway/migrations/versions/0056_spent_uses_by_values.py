"""`xinqiao_spend_use` compares with no NULL: an UPDATE that does finds no shard, and fails."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_SPEND_USE = """
CREATE OR REPLACE FUNCTION xinqiao_spend_use(
    p_uscc text, p_consent_id text, p_client_id text, p_version integer, p_now timestamptz)
RETURNS TABLE (consent_id text, uses integer, max_uses integer, valid_until timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    UPDATE consent AS c SET uses = c.uses + 1
     WHERE c.uscc = p_uscc AND c.consent_id = {consent_id} AND c.client_id = p_client_id
       AND c.version = {version} AND c.status = 'active' AND c.valid_until > p_now
       AND (c.max_uses IS NULL OR c.uses < c.max_uses)
    RETURNING c.consent_id, c.uses, c.max_uses, c.valid_until;
END $$"""


def upgrade() -> None:
    """Compare with a text and a number that no consent has."""
    op.execute(
        _SPEND_USE.format(
            consent_id="coalesce(p_consent_id, '')", version="coalesce(p_version, -1)"
        )
    )


def downgrade() -> None:
    """The function of 0054."""
    op.execute(_SPEND_USE.format(consent_id="p_consent_id", version="p_version"))
