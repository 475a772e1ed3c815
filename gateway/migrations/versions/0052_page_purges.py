"""Purges of pages at a CDN: the outbox, its lease, and the function of the triggers that write it.

The triggers are made by the gateway where a CDN is set.
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Without a lease the function notes nothing."""
    op.create_table(
        "page_purge",
        sa.Column("purge_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False, comment="empty: all pages"),
        *(
            sa.Column(
                name,
                sa.DateTime(timezone=True),
                server_default=sa.text("clock_timestamp()"),
                nullable=False,
            )
            for name in ("noted_at", "due_at")
        ),
        sa.Column("is_repeat", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("purge_id", name="pk_page_purge"),
    )
    op.create_index("ix_page_purge_due_at", "page_purge", ["due_at"])
    op.create_table(
        "page_purge_lease",
        sa.Column("is_only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "datasets", sa.ARRAY(sa.Text()), nullable=False, comment="whose changes are noted"
        ),
        sa.Column(
            "since",
            sa.BigInteger(),
            comment="a transaction since which all see it",
        ),
        sa.PrimaryKeyConstraint("is_only", name="pk_page_purge_lease"),
    )
    op.execute("""
        CREATE FUNCTION xinqiao_note_page_purges() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE noted text[];
        BEGIN
            SELECT datasets INTO noted FROM page_purge_lease WHERE until > clock_timestamp();
            IF NOT FOUND THEN
                RETURN NULL;
            ELSIF TG_OP = 'TRUNCATE' OR TG_TABLE_NAME = 'catalogue_version' THEN
                INSERT INTO page_purge (uscc) VALUES ('');
            ELSIF TG_TABLE_NAME = 'record' THEN
                IF TG_OP = 'UPDATE' THEN
                    INSERT INTO page_purge (uscc)
                    SELECT uscc FROM changed WHERE dataset = ANY(noted)
                    UNION SELECT uscc FROM former WHERE dataset = ANY(noted);
                ELSE
                    INSERT INTO page_purge (uscc)
                    SELECT DISTINCT uscc FROM changed WHERE dataset = ANY(noted);
                END IF;
            ELSIF TG_OP = 'UPDATE' THEN
                INSERT INTO page_purge (uscc)
                SELECT uscc FROM changed UNION SELECT uscc FROM former;
            ELSE
                INSERT INTO page_purge (uscc) SELECT DISTINCT uscc FROM changed;
            END IF;
            RETURN NULL;
        END $$""")


def downgrade() -> None:
    """The triggers go with their function."""
    op.execute("DROP FUNCTION xinqiao_note_page_purges() CASCADE")
    op.drop_table("page_purge_lease")
    op.drop_table("page_purge")
