"""A token says only what can be checked again: state is asked anew on each call (RFC 9068).

It is bound to the caller's key and never outlives its consent or the agreement. `sub` is the
enterprise of a consent, else the client: which person decided is nobody's business.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, insert

from consent import Consent
from gateway.clients.agreements import Agreement
from gateway.clients.registry import Client
from gateway.oauth.details import granted_details
from gateway.oauth.errors import OAuthError
from gateway.oauth.party import Basis
from gateway.oauth.tables import AccessTokenRow, RefreshTokenRow
from gateway.runtime import Runtime
from gateway.signing import jws
from gateway.signing.access_tokens import TYP

ACCESS_TOKEN_SECONDS: Final = 300

_KEEP: Final = insert(AccessTokenRow)


class UnboundTokenError(RuntimeError):
    """A token was about to be issued to no key: a fault in the server, never in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where and when one request is served, and the key that its caller has proven."""

    conn: Connection
    runtime: Runtime
    now: datetime
    jkt: str | None


def issue(
    at: At,
    *,
    client: Client,
    scope: str,
    basis: Basis | None,
    with_refresh_token: bool,
) -> dict[str, Any]:
    """Issue an access token, and a refresh token where one is due; gives the token response."""
    if at.jkt is None:
        raise UnboundTokenError
    agreement = agreement_of(client, at.now)
    expires = _expiry(at.now, agreement, basis)
    claims = {
        "iss": at.runtime.settings.issuer,
        "aud": at.runtime.settings.issuer,
        "sub": basis.consent.uscc if basis else client.client_id,
        "client_id": client.client_id,
        "scope": scope,
        "jti": secrets.token_urlsafe(24),
        "iat": int(at.now.timestamp()),
        "exp": expires,
        "cnf": {"jkt": at.jkt},
        "agreement_version": agreement.version,
        **(_consent_claims(basis.consent) if basis else {}),
    }
    _keep(at.conn, claims, basis)
    response = {
        "access_token": jws.sign(claims, typ=TYP, key=at.runtime.keys.current("token", at.now)),
        "token_type": "DPoP",
        "expires_in": expires - int(at.now.timestamp()),
        "scope": scope,
    }
    if basis:
        response["authorization_details"] = granted_details(basis.consent)
        if with_refresh_token:
            response["refresh_token"] = _refresh_token(at, basis, at.jkt)
    return response


def agreement_of(client: Client, now: datetime) -> Agreement:
    """The agreement in force, without which a client gets nothing."""
    agreement = client.agreement_in_force(now)
    if agreement is None:
        raise OAuthError(
            "unauthorized_client", "No agreement of this client is in force; ask the operator."
        )
    return agreement


def scope_for(asked: str | None, allowed: tuple[str, ...]) -> str:
    """The scope to be granted: what is asked, once each, or all that is allowed."""
    names = tuple(dict.fromkeys(asked.split())) if asked else allowed
    if not names or not set(names) <= set(allowed):
        raise OAuthError(
            "invalid_scope", f"The scopes that can be had here are: {' '.join(allowed) or 'none'}."
        )
    return " ".join(names)


def _expiry(now: datetime, agreement: Agreement, basis: Basis | None) -> int:
    ends = [agreement.valid_until, *([basis.consent.valid_until] if basis else [])]
    latest = min(int(moment.timestamp()) for moment in ends)
    return max(min(int(now.timestamp()) + ACCESS_TOKEN_SECONDS, latest), int(now.timestamp()) + 1)


def _consent_claims(consent: Consent) -> dict[str, Any]:
    return {
        "consent_id": consent.consent_id,
        "uscc": consent.uscc,
        "authorization_details": granted_details(consent),
    }


def _keep(conn: Connection, claims: Mapping[str, Any], basis: Basis | None) -> None:
    row = {
        "jti": claims["jti"],
        "client_id": claims["client_id"],
        "scope": claims["scope"],
        "uscc": claims.get("uscc"),
        "consent_id": claims.get("consent_id"),
        "code_digest": basis.code_digest if basis else None,
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
    }
    conn.execute(_KEEP, row)


def _refresh_token(at: At, basis: Basis, jkt: str) -> str:
    token = secrets.token_urlsafe(32)
    at.conn.execute(
        insert(RefreshTokenRow).values(
            digest=at.runtime.digests.of("refresh", token),
            client_id=basis.client_id,
            scope=basis.scope,
            dpop_jkt=jkt,
            consent_id=basis.consent.consent_id,
            uscc=basis.consent.uscc,
            subject=basis.consent.subject,
            code_digest=basis.code_digest,
            expires_at=basis.consent.valid_until,
        )
    )
    return token
