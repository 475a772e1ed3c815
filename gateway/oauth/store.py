"""OAuth tables: one query or statement a function, in the request's transaction.

Single use is one statement. Revocation takes the refresh token first, so that no token is issued
concurrently.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Executable, select, update
from sqlmodel import col

from consent import Consent, Status, status_at
from consent.mapping import consent_of
from consent.tables import consents
from gateway.oauth.errors import invalid_grant
from gateway.oauth.tables import AccessTokenRow, AuthorizationCodeRow, RefreshTokenRow

# Tokens are issued for a paused consent; calls are refused while it is paused.
REFRESHABLE_STATUSES: Final = frozenset({Status.ACTIVE, Status.PAUSED})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemedCode:
    """A code redeemed by this request."""

    client_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    dpop_jkt: str | None
    x5t_s256: str | None
    consent_id: str
    uscc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidRefreshToken:
    """A refresh token that is neither revoked nor expired."""

    client_id: str
    scope: str
    consent_id: str
    uscc: str
    code_digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshTokenOwner:
    """The client of a refresh token, and the code that it came from."""

    client_id: str
    code_digest: bytes


def redeem_code(
    connection: Connection, digest: bytes, client_id: str, *, now: datetime
) -> RedeemedCode | None:
    """Redeem a code; one of many concurrent calls succeeds."""
    statement = (
        update(AuthorizationCodeRow)
        .where(
            col(AuthorizationCodeRow.digest) == digest,
            col(AuthorizationCodeRow.client_id) == client_id,
            col(AuthorizationCodeRow.redeemed_at).is_(None),
            col(AuthorizationCodeRow.expires_at) > now,
        )
        .values(redeemed_at=now)
        .returning(*_columns(AuthorizationCodeRow, RedeemedCode))
    )
    return _row(connection, statement, RedeemedCode)


def revoke_tokens_of_reused_code(
    connection: Connection, digest: bytes, client_id: str, *, now: datetime
) -> None:
    """Revoke all tokens of a code that its own client has used again (RFC 6749 §4.1.2)."""
    used = connection.execute(
        select(col(AuthorizationCodeRow.digest)).where(
            col(AuthorizationCodeRow.digest) == digest,
            col(AuthorizationCodeRow.client_id) == client_id,
            col(AuthorizationCodeRow.redeemed_at).is_not(None),
        ),
    ).one_or_none()
    if used is not None:
        revoke_tokens_of_code(connection, digest, now=now)


def revoke_tokens_of_code(connection: Connection, code_digest: bytes, *, now: datetime) -> None:
    """Revoke the refresh token of a code, then every access token of the code."""
    for row in (RefreshTokenRow, AccessTokenRow):
        connection.execute(
            update(row)
            .where(col(row.code_digest) == code_digest, col(row.revoked_at).is_(None))
            .values(revoked_at=now),
        )


def revoke_access_token(connection: Connection, jti: str, client_id: str, *, now: datetime) -> None:
    """Revoke one access token of this client."""
    connection.execute(
        update(AccessTokenRow)
        .where(
            col(AccessTokenRow.jti) == jti,
            col(AccessTokenRow.client_id) == client_id,
            col(AccessTokenRow.revoked_at).is_(None),
        )
        .values(revoked_at=now),
    )


def access_token_is_valid(connection: Connection, jti: str) -> bool:
    """True for a known access token that is not revoked; the token itself has its expiry."""
    found = connection.execute(
        select(col(AccessTokenRow.jti)).where(
            col(AccessTokenRow.jti) == jti, col(AccessTokenRow.revoked_at).is_(None)
        )
    )
    return found.one_or_none() is not None


def valid_refresh_token(
    connection: Connection, digest: bytes, client_id: str, *, now: datetime
) -> ValidRefreshToken | None:
    """This client's valid refresh token, locked until the transaction ends."""
    statement = (
        select(*_columns(RefreshTokenRow, ValidRefreshToken))
        .where(
            col(RefreshTokenRow.digest) == digest,
            col(RefreshTokenRow.client_id) == client_id,
            col(RefreshTokenRow.revoked_at).is_(None),
            col(RefreshTokenRow.expires_at) > now,
        )
        .with_for_update(read=True)
    )
    return _row(connection, statement, ValidRefreshToken)


def refresh_token_owner(connection: Connection, digest: bytes) -> RefreshTokenOwner | None:
    """The owner of a refresh token, valid or not."""
    columns = _columns(RefreshTokenRow, RefreshTokenOwner)
    statement = select(*columns).where(col(RefreshTokenRow.digest) == digest)
    return _row(connection, statement, RefreshTokenOwner)


def usable_consent(
    connection: Connection, uscc: str, consent_id: str, *, now: datetime
) -> Consent | None:
    """The consent, if a token may be issued on it."""
    row = connection.execute(
        consents.select().where(consents.c.uscc == uscc, consents.c.consent_id == consent_id)
    ).one_or_none()
    consent = row and consent_of(row._asdict())
    return consent if consent and status_at(consent, now) in REFRESHABLE_STATUSES else None


def require_consent(
    connection: Connection, uscc: str, consent_id: str, *, now: datetime
) -> Consent:
    """The usable consent of a grant; raises `invalid_grant`."""
    consent = usable_consent(connection, uscc, consent_id, now=now)
    if consent is None:
        raise invalid_grant("The consent that this grant rests on has ended; ask for a new one.")
    return consent


def _row(connection: Connection, statement: Executable, wanted: type[T]) -> T | None:
    """The row of a statement, if any, as the dataclass `wanted`."""
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else wanted(**row)


def _columns(row: type[AuthorizationCodeRow | RefreshTokenRow], wanted: type[Any]) -> list[Any]:
    """The columns that the dataclass `wanted` has fields for."""
    return [row.__table__.c[name] for name in wanted.__dataclass_fields__]  # type: ignore[union-attr]
