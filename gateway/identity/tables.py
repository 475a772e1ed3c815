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
