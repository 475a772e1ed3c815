"""Nothing here opens a door by itself: sessions and interactions are kept as digests."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import SQLModel

from gateway.db import columns


class SessionRow(SQLModel, table=True):
    """One signed-in browser. `digest` is the keyed digest of the cookie's value."""

    __tablename__ = "session"

    digest: bytes = columns.digest(primary_key=True)
    subject: str = columns.text()
    name: str = columns.text()
    mandates: list[dict[str, Any]] = columns.document()
    identity_token_digest: bytes = columns.digest()
    created_at: datetime = columns.moment()
    last_seen_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()


class InteractionRow(SQLModel, table=True):
    """A decision asked of a person on a client's behalf, and what was decided.

    The authorization endpoint opens it, the portal decides it, the authorization endpoint
    resumes it. A pushed request may be opened often and decided once: the partial unique index
    sees to that.
    """

    __tablename__ = "interaction"
    __table_args__ = (
        CheckConstraint("outcome IN ('granted', 'refused')", name="outcome"),
        Index(
            "ux_interaction_request_digest_decided",
            "request_digest",
            unique=True,
            postgresql_where=text("decided_at IS NOT NULL"),
        ),
    )

    digest: bytes = columns.digest(primary_key=True)
    request_digest: bytes = columns.digest()
    client_id: str = columns.text()
    ask: dict[str, Any] = columns.document()
    redirect_origin: str = columns.text()
    session_digest: bytes | None = columns.digest(nullable=True)
    opened_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    decided_at: datetime | None = columns.moment(nullable=True)
    outcome: str | None = columns.text(nullable=True)
    consent_id: str | None = columns.text(nullable=True)
    uscc: str | None = columns.text(nullable=True)
    subject: str | None = columns.text(nullable=True)
    resumed_at: datetime | None = columns.moment(nullable=True)


class DelegationRow(SQLModel, table=True):
    """What a legal representative has passed on. Ended, it stays: who could act when is evidence.

    `name` is what the representative calls the delegate, sealed (R17).
    """

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("cardinality(powers) > 0", name="some_power"),
        CheckConstraint(
            "powers <@ ARRAY['consents', 'record', 'objections', 'codes']", name="powers"
        ),
        CheckConstraint("(subject IS NULL) = (accepted_at IS NULL)", name="accepted_by_somebody"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
    )

    uscc: str = columns.text(primary_key=True)
    delegation_id: str = columns.text(primary_key=True)
    name: bytes = columns.digest()
    powers: list[str] = columns.texts()
    representative: str = columns.text()
    appointed_by: str = columns.text()
    appointed_token_digest: bytes = columns.digest()
    appointed_at: datetime = columns.moment()
    invited_until: datetime = columns.moment()
    ends_at: datetime = columns.moment()
    subject: str | None = columns.text(nullable=True)
    accepted_at: datetime | None = columns.moment(nullable=True)
    accepted_token_digest: bytes | None = columns.digest(nullable=True)
    ended_at: datetime | None = columns.moment(nullable=True)
    ended_by: str | None = columns.text(nullable=True)
    ended_token_digest: bytes | None = columns.digest(nullable=True)


class DelegationLocatorRow(SQLModel, table=True):
    """Where to find a delegation by its invitation (a digest), and by who has taken it up."""

    __tablename__ = "delegation_locator"
    __table_args__ = (Index("ix_delegation_locator_subject", "subject"),)

    invitation_digest: bytes = columns.digest(primary_key=True)
    uscc: str = columns.text()
    delegation_id: str = columns.text()
    subject: str | None = columns.text(nullable=True)


class RepresentativeChangeRow(SQLModel, table=True):
    """When an enterprise's legal representative last changed."""

    __tablename__ = "representative_change"

    uscc: str = columns.text(primary_key=True)
    changed_at: datetime = columns.moment()


class ConsentKeptRow(SQLModel, table=True):
    """That a new legal representative let a predecessor's consent go on."""

    __tablename__ = "consent_kept"

    uscc: str = columns.text(primary_key=True)
    consent_id: str = columns.text(primary_key=True)
    kept_at: datetime = columns.moment()
    subject: str = columns.text()
    identity_token_digest: bytes = columns.digest()
