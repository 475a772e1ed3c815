"""Tables of sessions, interactions and delegations; their secrets are stored as digests."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import SQLModel

from gateway.db import column_types


class SessionRow(SQLModel, table=True):
    """A session; `digest` is the keyed digest of the cookie's value."""

    __tablename__ = "session"

    digest: bytes = column_types.digest(primary_key=True)
    subject: str = column_types.text()
    name: str = column_types.text()
    mandates: list[dict[str, Any]] = column_types.document()
    identity_token_digest: bytes = column_types.digest()
    created_at: datetime = column_types.moment()
    last_seen_at: datetime = column_types.moment()
    expires_at: datetime = column_types.moment()
    kept_page: str | None = column_types.text(nullable=True)
    kept_form: bytes | None = column_types.digest(nullable=True)


class InteractionRow(SQLModel, table=True):
    """An interaction: a consent request put to a person, and the decision.

    The authorization endpoint opens and resumes it, the portal decides it. A pushed request may be
    opened often and, by the partial unique index, decided once.
    """

    __tablename__ = "interaction"
    __table_args__ = (
        CheckConstraint("outcome IN ('granted', 'refused')", name="outcome"),
        Index("ix_interaction_expires_at", "expires_at"),
        Index("ix_interaction_request_digest", "request_digest"),
        Index(
            "ux_interaction_request_digest_decided",
            "request_digest",
            unique=True,
            postgresql_where=text("decided_at IS NOT NULL"),
        ),
    )

    digest: bytes = column_types.digest(primary_key=True)
    request_digest: bytes = column_types.digest()
    client_id: str = column_types.text()
    ask: dict[str, Any] = column_types.document()
    redirect_origin: str = column_types.text()
    session_digest: bytes | None = column_types.digest(nullable=True)
    opened_at: datetime = column_types.moment()
    expires_at: datetime = column_types.moment()
    decided_at: datetime | None = column_types.moment(nullable=True)
    outcome: str | None = column_types.text(nullable=True)
    consent_id: str | None = column_types.text(nullable=True)
    uscc: str | None = column_types.text(nullable=True)
    subject: str | None = column_types.text(nullable=True)
    resumed_at: datetime | None = column_types.moment(nullable=True)


class DelegationRow(SQLModel, table=True):
    """A delegation by a legal representative. An ended one is kept as evidence.

    `name` is the delegate's name as the representative gave it, `accepted_name` that of the person who
    accepted, by the identity provider; both encrypted (R17).
    """

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("cardinality(powers) > 0", name="some_power"),
        CheckConstraint(
            "powers <@ ARRAY['consents', 'record', 'objections', 'codes', 'repairs', 'reports']",
            name="powers",
        ),
        CheckConstraint("(subject IS NULL) = (accepted_at IS NULL)", name="accepted_by_somebody"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
    )

    uscc: str = column_types.text(primary_key=True)
    delegation_id: str = column_types.text(primary_key=True)
    name: bytes = column_types.digest()
    powers: list[str] = column_types.texts()
    representative: str = column_types.text()
    appointed_by: str = column_types.text()
    appointed_token_digest: bytes = column_types.digest()
    appointed_at: datetime = column_types.moment()
    invited_until: datetime = column_types.moment()
    ends_at: datetime = column_types.moment()
    subject: str | None = column_types.text(nullable=True)
    accepted_at: datetime | None = column_types.moment(nullable=True)
    accepted_token_digest: bytes | None = column_types.digest(nullable=True)
    accepted_name: bytes | None = column_types.digest(nullable=True)
    ended_at: datetime | None = column_types.moment(nullable=True)
    ended_by: str | None = column_types.text(nullable=True)
    ended_token_digest: bytes | None = column_types.digest(nullable=True)


class DelegationLocatorRow(SQLModel, table=True):
    """Locator of a delegation by its invitation (a digest), and by the subject that accepted it."""

    __tablename__ = "delegation_locator"
    __table_args__ = (Index("ix_delegation_locator_subject", "subject"),)

    invitation_digest: bytes = column_types.digest(primary_key=True)
    uscc: str = column_types.text()
    delegation_id: str = column_types.text()
    subject: str | None = column_types.text(nullable=True)


class RepresentativeChangeRow(SQLModel, table=True):
    """The time of the last change of an enterprise's legal representative."""

    __tablename__ = "representative_change"

    uscc: str = column_types.text(primary_key=True)
    changed_at: datetime = column_types.moment()


class ConsentKeptRow(SQLModel, table=True):
    """A predecessor's consent that a new legal representative has kept."""

    __tablename__ = "consent_kept"

    uscc: str = column_types.text(primary_key=True)
    consent_id: str = column_types.text(primary_key=True)
    kept_at: datetime = column_types.moment()
    subject: str = column_types.text()
    identity_token_digest: bytes = column_types.digest()
