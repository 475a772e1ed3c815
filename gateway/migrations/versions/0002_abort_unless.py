"""A statement that can undo itself: `xinqiao_abort_unless` fails it when a condition does not hold."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function. Its SQLSTATE is the one that `gateway.disclosure.commit` waits for."""
    op.execute("""
        CREATE OR REPLACE FUNCTION xinqiao_abort_unless(holds boolean) RETURNS void
        LANGUAGE plpgsql AS $$
        BEGIN
            IF holds IS NOT TRUE THEN
                RAISE EXCEPTION 'the state has moved since it was read' USING ERRCODE = 'XQ001';
            END IF;
        END $$""")


def downgrade() -> None:
    """Take it back."""
    op.execute("DROP FUNCTION xinqiao_abort_unless(boolean)")
