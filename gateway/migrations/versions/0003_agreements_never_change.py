"""An agreement's version only ends; operators' acts and decided proposals are never rewritten."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TRIGGERS = {
    "agreement": "xinqiao_agreement_only_ends",
    "agreement_proposal": "xinqiao_proposal_is_decided_once",
    "operator_act": "xinqiao_never_changes",
    "client": "xinqiao_ended_client_stays_ended",
}


def upgrade() -> None:
    """Make the triggers. `ended_at` may be set once, earlier than the term's own end or not."""
    op.execute("""
        CREATE FUNCTION xinqiao_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation';
        END $$""")
    op.execute("""
        CREATE FUNCTION xinqiao_agreement_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
               AND to_jsonb(NEW) - 'ended_at' = to_jsonb(OLD) - 'ended_at' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'an agreement only ends; put the next version beside it'
                USING ERRCODE = 'restrict_violation';
        END $$""")
    op.execute("""
        CREATE FUNCTION xinqiao_proposal_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.status = 'open'
               AND to_jsonb(NEW) - '{status,decided_by,decided_at}'::text[]
                 = to_jsonb(OLD) - '{status,decided_by,decided_at}'::text[] THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a proposal is decided once and never changed'
                USING ERRCODE = 'restrict_violation';
        END $$""")
    op.execute("""
        CREATE FUNCTION xinqiao_ended_client_stays_ended() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND (OLD.state <> 'ended' OR NEW.state = 'ended') THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'a client that has ended does not come back, and none is deleted'
                USING ERRCODE = 'restrict_violation';
        END $$""")
    for table, function in TRIGGERS.items():
        op.execute(f"""
            CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {function}()""")
        op.execute(f"""
            CREATE TRIGGER {table}_kept_whole BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION xinqiao_never_changes()""")


def downgrade() -> None:
    """Take them back."""
    for table in TRIGGERS:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")
        op.execute(f"DROP TRIGGER {table}_kept_whole ON {table}")
    for function in {*TRIGGERS.values(), "xinqiao_never_changes"}:
        op.execute(f"DROP FUNCTION {function}()")
