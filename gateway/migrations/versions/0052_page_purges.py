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
        sa.Column(
            "needs_code",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="not sent where the enterprise has no code",
        ),
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
        DECLARE
            noted text[];
            sealed CONSTANT text[] := '{personal,digests}';  -- no page shows them
            of_page CONSTANT boolean := TG_TABLE_NAME <> 'enterprise_code';
        BEGIN
            SELECT datasets INTO noted FROM page_purge_lease WHERE until > clock_timestamp();
            IF NOT FOUND THEN
                RETURN NULL;
            ELSIF TG_OP = 'TRUNCATE' OR TG_TABLE_NAME = 'catalogue_version' THEN
                INSERT INTO page_purge (uscc) VALUES ('');
                RETURN NULL;
            ELSIF TG_OP = 'UPDATE' AND of_page THEN
                -- The first row tells whether it is worth while to compare all.
                IF EXISTS (SELECT FROM (SELECT * FROM changed LIMIT 1) AS c,
                                       (SELECT * FROM former LIMIT 1) AS f
                            WHERE c.version = f.version AND c.personal IS DISTINCT FROM f.personal)
                THEN
                    IF NOT EXISTS (SELECT to_jsonb(c) - sealed FROM changed AS c
                                   EXCEPT ALL SELECT to_jsonb(f) - sealed FROM former AS f) THEN
                        RETURN NULL;
                    END IF;
                END IF;
            END IF;
            IF TG_TABLE_NAME = 'record' THEN
                IF TG_OP = 'UPDATE' THEN
                    INSERT INTO page_purge (uscc, needs_code)
                    SELECT uscc, true FROM changed WHERE dataset = ANY(noted)
                    UNION SELECT uscc, true FROM former WHERE dataset = ANY(noted);
                ELSE
                    INSERT INTO page_purge (uscc, needs_code)
                    SELECT DISTINCT uscc, true FROM changed WHERE dataset = ANY(noted);
                END IF;
            ELSIF TG_OP = 'UPDATE' THEN
                INSERT INTO page_purge (uscc, needs_code)
                SELECT uscc, of_page FROM changed UNION SELECT uscc, of_page FROM former;
            ELSE
                INSERT INTO page_purge (uscc, needs_code) SELECT DISTINCT uscc, of_page FROM changed;
            END IF;
            RETURN NULL;
        END $$""")
    op.execute("""
        CREATE FUNCTION xinqiao_drop_page_purges(most integer) RETURNS void LANGUAGE sql AS $$
            DELETE FROM page_purge WHERE purge_id IN (
                SELECT purge_id FROM page_purge AS p
                 WHERE due_at <= now() AND needs_code
                   AND NOT EXISTS (SELECT FROM enterprise_code AS c WHERE c.uscc = p.uscc)
                 ORDER BY due_at LIMIT most FOR UPDATE SKIP LOCKED)
        $$""")


def downgrade() -> None:
    """The triggers go with their function."""
    op.execute("DROP FUNCTION xinqiao_drop_page_purges(integer)")
    op.execute("DROP FUNCTION xinqiao_note_page_purges() CASCADE")
    op.drop_table("page_purge_lease")
    op.drop_table("page_purge")
