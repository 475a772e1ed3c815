"""Create the first schema: all tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "access_token",
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Text(), nullable=True),
        sa.Column("code_digest", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("jti"),
    )
    op.create_index("ix_access_token_code_digest", "access_token", ["code_digest"], unique=False)
    op.create_table(
        "agreement",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agreement_id", sa.Text(), nullable=False),
        sa.Column("purposes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("datasets", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("questions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("quotas", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signatures", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "version"),
    )
    op.create_table(
        "agreement_proposal",
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("widens", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_name", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="approved_by_another",
        ),
        sa.CheckConstraint(
            "status IN ('open', 'approved', 'rejected', 'superseded')", name="status"
        ),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_index(
        "ix_agreement_proposal_client_id", "agreement_proposal", ["client_id"], unique=False
    )
    op.create_table(
        "assertion_jti",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti"),
    )
    op.create_index("ix_assertion_jti_expires_at", "assertion_jti", ["expires_at"], unique=False)
    op.create_table(
        "authorization_code",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.Text(), nullable=False),
        sa.Column("dpop_jkt", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size"),
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("jwks_uri", sa.Text(), nullable=True),
        sa.Column("redirect_uris", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("filing_number", sa.Text(), nullable=True),
        sa.Column("personal_credit_licence", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('bank', 'platform', 'agency', 'source', 'operator')", name="kind"
        ),
        sa.CheckConstraint("state IN ('active', 'suspended', 'ended')", name="state"),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "client_key_set",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("jwks_uri", sa.Text(), nullable=False),
        sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fresh_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "consent",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("datasets", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("questions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cool_down_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("identity_token_digest", sa.LargeBinary(), nullable=True),
        sa.Column("text_version", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('requested', 'active', 'refused', 'paused', 'withdrawn', 'expired', 'exhausted', 'superseded')",
            name=op.f("ck_consent_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('active', 'paused', 'refused') OR (decided_at IS NOT NULL AND subject IS NOT NULL AND identity_token_digest IS NOT NULL)",
            name=op.f("ck_consent_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "cardinality(datasets) + cardinality(questions) > 0", name=op.f("ck_consent_not_empty")
        ),
        sa.CheckConstraint(
            "max_uses IS NULL OR (max_uses >= 1 AND uses <= max_uses)",
            name=op.f("ck_consent_uses_within_limit"),
        ),
        sa.CheckConstraint("uses >= 0", name=op.f("ck_consent_uses_not_negative")),
        sa.PrimaryKeyConstraint("uscc", "consent_id", name=op.f("pk_consent")),
    )
    op.create_index(
        op.f("ix_consent_relation"), "consent", ["uscc", "client_id", "purpose"], unique=False
    )
    op.create_table(
        "consent_event",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("datasets", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("questions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("identity_token_digest", sa.LargeBinary(), nullable=True),
        sa.Column("text_version", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "channel IN ('api', 'redirect', 'link', 'portal')",
            name=op.f("ck_consent_event_channel"),
        ),
        sa.CheckConstraint(
            "what IN ('requested', 'granted', 'refused', 'paused', 'resumed', 'withdrawn', 'given_up', 'superseded')",
            name=op.f("ck_consent_event_what"),
        ),
        sa.PrimaryKeyConstraint("uscc", "consent_id", "seq", name=op.f("pk_consent_event")),
    )
    op.create_table(
        "consent_locator",
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consent_locator")),
    )
    op.create_index(
        op.f("ix_consent_locator_client"),
        "consent_locator",
        ["client_id", "consent_id"],
        unique=False,
    )
    op.create_table(
        "disclosure",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("disclosure_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=True),
        sa.Column("agreement_version", sa.Integer(), nullable=True),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("relied_on", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result_digest", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('verification', 'query')", name="kind"),
        sa.CheckConstraint("outcome IN ('told', 'refused')", name="outcome"),
        sa.PrimaryKeyConstraint("uscc", "disclosure_id"),
    )
    op.create_index("ix_disclosure_uscc_at", "disclosure", ["uscc", "at"], unique=False)
    op.create_table(
        "disclosure_salt",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("disclosure_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "disclosure_id"),
    )
    op.create_table(
        "enterprise",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("registration_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False, comment="the name, strictly normalised"),
        sa.Column(
            "former_names",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("legal_representative", sa.Text(), nullable=False),
        sa.Column(
            "capital",
            sa.Numeric(precision=20, scale=6),
            nullable=True,
            comment="10,000 units of the currency",
        ),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("established_on", sa.Date(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("term_from", sa.Date(), nullable=True),
        sa.Column("term_to", sa.Date(), nullable=True, comment="none, or 2099-12-31: no end"),
        sa.Column("registering_authority", sa.Text(), nullable=True),
        sa.Column("division", sa.Text(), nullable=False, comment="GB/T 2260"),
        sa.Column("industry", sa.Text(), nullable=True, comment="GB/T 4754"),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_uscc", sa.Text(), nullable=True),
        sa.Column("source_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("catalogue_version", sa.Text(), nullable=False),
        sa.Column("objection_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_ok", sa.Boolean(), server_default="true", nullable=False),
        sa.Column(
            "unavailable",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "personal",
            sa.LargeBinary(),
            nullable=True,
            comment="sealed JSON: ID number, phone, home address",
        ),
        sa.Column(
            "digests",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("uscc", name="pk_enterprise"),
    )
    op.create_table(
        "enterprise_code",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("sign_name", sa.Text(), nullable=False),
        sa.Column("check_phrase", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("uscc", "code_id"),
    )
    op.create_table(
        "enterprise_code_locator",
        sa.Column("code_id", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code_id"),
    )
    op.create_table(
        "idempotency",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "client_id", "key"),
    )
    op.create_table(
        "interaction",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("ask", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("redirect_origin", sa.Text(), nullable=False),
        sa.Column("session_digest", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("consent_id", sa.Text(), nullable=True),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('granted', 'refused')", name="outcome"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(
        "ux_interaction_request_digest_decided",
        "interaction",
        ["request_digest"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NOT NULL"),
    )
    op.create_table(
        "log_entry",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("disclosure_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("index"),
    )
    op.create_index("ix_log_entry_disclosure_id", "log_entry", ["disclosure_id"], unique=False)
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index"),
    )
    op.create_table(
        "operator_act",
        sa.Column("act_id", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("operator_name", sa.Text(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("act_id"),
    )
    op.create_index(
        "ix_operator_act_client_id_at", "operator_act", ["client_id", "at"], unique=False
    )
    op.create_table(
        "pending_leaf",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("disclosure_id", sa.Text(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "disclosure_id"),
    )
    op.create_index("ix_pending_leaf_at", "pending_leaf", ["at"], unique=False)
    op.create_table(
        "probe",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "client_id", "question"),
    )
    op.create_table(
        "pushed_request",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dpop_jkt", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "record",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("natural_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_uscc", sa.Text(), nullable=True),
        sa.Column("source_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("catalogue_version", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("determined_on", sa.Date(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column(
            "publicity_ends_on",
            sa.Date(),
            nullable=True,
            comment="the last day on which it is shown",
        ),
        sa.Column(
            "removed_on",
            sa.Date(),
            nullable=True,
            comment="the first day on which it is on its list no more",
        ),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=True, comment="YYYY-MM, YYYY-Qn or YYYY"),
        sa.Column("repaired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("objection_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="every field of the catalogue, by name",
        ),
        sa.PrimaryKeyConstraint("uscc", "record_id", name="pk_record"),
        sa.UniqueConstraint(
            "uscc", "source_id", "dataset", "natural_key", name="uq_record_natural_key"
        ),
    )
    op.create_index("ix_record_uscc_dataset", "record", ["uscc", "dataset"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("dpop_jkt", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_refresh_token_code_digest", "refresh_token", ["code_digest"], unique=False)
    op.create_table(
        "session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mandates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("identity_token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("session")
    op.drop_index("ix_refresh_token_code_digest", table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_index("ix_record_uscc_dataset", table_name="record")
    op.drop_table("record")
    op.drop_table("pushed_request")
    op.drop_table("probe")
    op.drop_index("ix_pending_leaf_at", table_name="pending_leaf")
    op.drop_table("pending_leaf")
    op.drop_index("ix_operator_act_client_id_at", table_name="operator_act")
    op.drop_table("operator_act")
    op.drop_table("log_node")
    op.drop_index("ix_log_entry_disclosure_id", table_name="log_entry")
    op.drop_table("log_entry")
    op.drop_index(
        "ux_interaction_request_digest_decided",
        table_name="interaction",
        postgresql_where=sa.text("decided_at IS NOT NULL"),
    )
    op.drop_table("interaction")
    op.drop_table("idempotency")
    op.drop_table("enterprise_code_locator")
    op.drop_table("enterprise_code")
    op.drop_table("enterprise")
    op.drop_table("disclosure_salt")
    op.drop_index("ix_disclosure_uscc_at", table_name="disclosure")
    op.drop_table("disclosure")
    op.drop_index(op.f("ix_consent_locator_client"), table_name="consent_locator")
    op.drop_table("consent_locator")
    op.drop_table("consent_event")
    op.drop_index(op.f("ix_consent_relation"), table_name="consent")
    op.drop_table("consent")
    op.drop_table("client_key_set")
    op.drop_table("client")
    op.drop_table("checkpoint")
    op.drop_table("authorization_code")
    op.drop_index("ix_assertion_jti_expires_at", table_name="assertion_jti")
    op.drop_table("assertion_jti")
    op.drop_index("ix_agreement_proposal_client_id", table_name="agreement_proposal")
    op.drop_table("agreement_proposal")
    op.drop_table("agreement")
    op.drop_index("ix_access_token_code_digest", table_name="access_token")
    op.drop_table("access_token")
