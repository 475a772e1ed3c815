"""Catalogues that were loaded; a version never changes, and only its coming into force is added."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and what keeps it."""
    op.create_table(
        "catalogue_version",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "place",
            sa.Integer(),
            nullable=True,
            comment="the order of coming into force; none while it waits",
        ),
        sa.Column("document", sa.Text(), nullable=False, comment="the YAML as it was loaded"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "base",
            sa.Text(),
            nullable=False,
            comment="the version in force when it was loaded",
        ),
        sa.Column("widens", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column("loaded_name", sa.Text(), nullable=True),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "place IS NULL OR widens = '{}' OR (approved_by IS NOT NULL AND approved_by <> loaded_by)",
            name="approved_by_another",
        ),
        sa.PrimaryKeyConstraint("version", name="pk_catalogue_version"),
        sa.UniqueConstraint("place", name="uq_catalogue_version_place"),
    )
    op.execute("""
        CREATE FUNCTION xinqiao_catalogue_comes_into_force_once() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.place IS NULL AND NEW.place IS NOT NULL
               AND to_jsonb(NEW) - '{place,approved_by,approved_at}'::text[]
                 = to_jsonb(OLD) - '{place,approved_by,approved_at}'::text[] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a catalogue never changes; load the next version beside it'
                USING ERRCODE = 'restrict_violation';
        END $$""")
    op.execute("""
        CREATE TRIGGER catalogue_version_kept BEFORE UPDATE OR DELETE ON catalogue_version
        FOR EACH ROW EXECUTE FUNCTION xinqiao_catalogue_comes_into_force_once()""")
    op.execute("""
        CREATE TRIGGER catalogue_version_kept_whole BEFORE TRUNCATE ON catalogue_version
        FOR EACH STATEMENT EXECUTE FUNCTION xinqiao_never_changes()""")


def downgrade() -> None:
    """Take them back."""
    op.drop_table("catalogue_version")
    op.execute("DROP FUNCTION xinqiao_catalogue_comes_into_force_once()")
