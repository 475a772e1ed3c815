"""Tables of consents, events, texts and the locator; keyed by USCC first, but for the locator.

Names are final (`conv`), so they do not depend on which naming convention is in force when this
module is imported. There are no foreign keys: a distributed table and the gateway's tables would
both be in their way.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.naming import conv
from sqlmodel import SQLModel

from consent.model import Act, Channel, Status

_Instant = DateTime(timezone=True)


def _one_of(column: str, values: type[Status | Act | Channel]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


consents = Table(
    "consent",
    SQLModel.metadata,
    Column("uscc", Text, nullable=False),
    Column("consent_id", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("datasets", ARRAY(Text), nullable=False),
    Column("questions", ARRAY(Text), nullable=False),
    Column("status", Text, nullable=False),
    Column("requested_at", _Instant, nullable=False),
    Column("answer_by", _Instant, nullable=False),
    Column("valid_until", _Instant, nullable=False),
    Column("max_uses", Integer),
    Column("uses", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("decided_at", _Instant),
    Column("cool_down_until", _Instant),
    Column("subject", Text),
    Column("identity_token_digest", LargeBinary),
    Column("text_version", Text),
    Column("language", Text),
    Column("amends", Text),
    Column("channel", Text, nullable=False, server_default="link", comment="how it was requested"),
    Column("fields", ARRAY(Text), comment="dataset.field, as named before the decision"),
    Column("separate_consents", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("retention_days", Integer, comment="the recipient's, as named before the decision"),
    PrimaryKeyConstraint("uscc", "consent_id", name=conv("pk_consent")),
    CheckConstraint(_one_of("status", Status), name=conv("ck_consent_status")),
    CheckConstraint(_one_of("channel", Channel), name=conv("ck_consent_channel")),
    CheckConstraint("uses >= 0", name=conv("ck_consent_uses_not_negative")),
    CheckConstraint(
        "max_uses IS NULL OR (max_uses >= 1 AND uses <= max_uses)",
        name=conv("ck_consent_uses_within_limit"),
    ),
    CheckConstraint(
        "cardinality(datasets) + cardinality(questions) > 0", name=conv("ck_consent_not_empty")
    ),
    CheckConstraint(
        "status NOT IN ('active', 'paused', 'refused') OR "
        "(decided_at IS NOT NULL AND subject IS NOT NULL AND identity_token_digest IS NOT NULL)",
        name=conv("ck_consent_decided_by_somebody"),
    ),
    Index(conv("ix_consent_relation"), "uscc", "client_id", "purpose"),
    # To find consents that end soon, of all enterprises. A use changes none of its columns.
    Index(
        conv("ix_consent_ending"),
        "valid_until",
        postgresql_where=text("status IN ('active', 'paused')"),
    ),
)

consent_events = Table(
    "consent_event",
    SQLModel.metadata,
    Column("uscc", Text, nullable=False),
    Column("consent_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("at", _Instant, nullable=False),
    Column("datasets", ARRAY(Text), nullable=False),
    Column("questions", ARRAY(Text), nullable=False),
    Column("valid_until", _Instant, nullable=False),
    Column("max_uses", Integer),
    Column("identity_token_digest", LargeBinary),
    Column("text_version", Text),
    Column("text_digest", LargeBinary),
    Column("language", Text),
    Column("separate_consents", JSONB(none_as_null=True), comment="null: not asked for yet"),
    PrimaryKeyConstraint("uscc", "consent_id", "seq", name=conv("pk_consent_event")),
    CheckConstraint(_one_of("what", Act), name=conv("ck_consent_event_what")),
    CheckConstraint(_one_of("channel", Channel), name=conv("ck_consent_event_channel")),
)

consent_locators = Table(
    "consent_locator",
    SQLModel.metadata,
    Column("consent_id", Text, nullable=False),
    Column("uscc", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    PrimaryKeyConstraint("consent_id", name=conv("pk_consent_locator")),
    Index(conv("ix_consent_locator_client"), "client_id", "consent_id"),
)

# Displayed texts by their digest; equal requests of one client share a text.
consent_texts = Table(
    "consent_text",
    SQLModel.metadata,
    Column("digest", LargeBinary, nullable=False),
    Column("text_version", Text, nullable=False),
    Column("zh", ARRAY(Text), nullable=False, comment="the paragraphs, in their order"),
    Column("en", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("digest", name=conv("pk_consent_text")),
)
