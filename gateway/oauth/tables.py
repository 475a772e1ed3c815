"""Tables of pushed requests, codes, tokens and used assertions; secrets as keyed digests."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import SQLModel

from gateway.db import column_types


class PushedRequestRow(SQLModel, table=True):
    """A pushed authorization request (RFC 9126), keyed by the digest of its `request_uri`."""

    __tablename__ = "pushed_request"
    __table_args__ = (Index("ix_pushed_request_expires_at", "expires_at"),)

    digest: bytes = column_types.digest(primary_key=True)
    client_id: str = column_types.text()
    parameters: dict[str, Any] = column_types.document()
    dpop_jkt: str | None = column_types.text(nullable=True)
    x5t_s256: str | None = column_types.text(nullable=True)
    expires_at: datetime = column_types.moment()


class AuthorizationCodeRow(SQLModel, table=True):
    """An authorization code; redeemed by the one statement that sets `redeemed_at`."""

    __tablename__ = "authorization_code"
    __table_args__ = (Index("ix_authorization_code_expires_at", "expires_at"),)

    digest: bytes = column_types.digest(primary_key=True)
    client_id: str = column_types.text()
    redirect_uri: str = column_types.text()
    scope: str = column_types.text()
    code_challenge: str = column_types.text()
    dpop_jkt: str | None = column_types.text(nullable=True)
    x5t_s256: str | None = column_types.text(nullable=True)
    consent_id: str = column_types.text()
    uscc: str = column_types.text()
    subject: str = column_types.text()
    expires_at: datetime = column_types.moment()
    redeemed_at: datetime | None = column_types.moment(nullable=True)


class AccessTokenRow(SQLModel, table=True):
    """An issued access token, keyed by its `jti`; `code_digest` is the code's it came from."""

    __tablename__ = "access_token"
    __table_args__ = (
        Index("ix_access_token_code_digest", "code_digest"),
        Index("ix_access_token_expires_at", "expires_at"),
    )

    jti: str = column_types.text(primary_key=True)
    client_id: str = column_types.text()
    scope: str = column_types.text()
    uscc: str | None = column_types.text(nullable=True)
    consent_id: str | None = column_types.text(nullable=True)
    code_digest: bytes | None = column_types.digest(nullable=True)
    expires_at: datetime = column_types.moment()
    revoked_at: datetime | None = column_types.moment(nullable=True)


class RefreshTokenRow(SQLModel, table=True):
    """A refresh token: bound to its client and its consent; not rotated (FAPI)."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        Index("ix_refresh_token_code_digest", "code_digest"),
        Index("ix_refresh_token_expires_at", "expires_at"),
    )

    digest: bytes = column_types.digest(primary_key=True)
    client_id: str = column_types.text()
    scope: str = column_types.text()
    consent_id: str = column_types.text()
    uscc: str = column_types.text()
    subject: str = column_types.text()
    code_digest: bytes = column_types.digest()
    expires_at: datetime = column_types.moment()
    revoked_at: datetime | None = column_types.moment(nullable=True)


class AssertionRow(SQLModel, table=True):
    """The `jti` of a used client assertion; the primary key makes it single-use."""

    __tablename__ = "assertion_jti"
    __table_args__ = (Index("ix_assertion_jti_expires_at", "expires_at"),)

    client_id: str = column_types.text(primary_key=True)
    jti: str = column_types.text(primary_key=True)
    expires_at: datetime = column_types.moment()
