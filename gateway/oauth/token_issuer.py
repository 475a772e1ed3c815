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
from gateway.clients.certificates import Certificate
from gateway.clients.registry import Client
from gateway.oauth.authlib_models import Basis
from gateway.oauth.authorization_details import granted_details
from gateway.oauth.errors import OAuthError, invalid_request
from gateway.oauth.tables import RefreshTokenRow
from gateway.oauth.unit_of_work import UnitOfWork
from gateway.runtime import Runtime
from gateway.signing import jws
from gateway.signing.access_tokens import TYP

ACCESS_TOKEN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTime:
    """Where and when one request is served, and the key and certificate of its caller."""

    books: UnitOfWork
    runtime: Runtime
    now: datetime
    jkt: str | None
    certificate: Certificate | None

    @property
    def connection(self) -> Connection:
        """The request's transaction, for what rests on more than the client."""
        return self.books.connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a token is bound to: a DPoP key, a certificate, or both."""

    jkt: str | None
    x5t: str | None

    @property
    def cnf(self) -> dict[str, str]:
        """The confirmation claim (RFC 7800, RFC 9449 §6.1, RFC 8705 §3.1)."""
        both = {"jkt": self.jkt, "x5t#S256": self.x5t}
        return {name: value for name, value in both.items() if value is not None}

    @property
    def token_type(self) -> str:
        """Under which scheme such a token is sent."""
        return "DPoP" if self.jkt is not None else "Bearer"


def bound_for(at: TokenTime, client: Client) -> Bound:
    """What this client's tokens are bound to now; there is none that is bound to nothing."""
    if not client.authentication.tls_client_certificate_bound_access_tokens:
        if at.jkt is None:
            raise OAuthError("invalid_dpop_proof", "Send exactly one DPoP header.")
        return Bound(jkt=at.jkt, x5t=None)
    if at.certificate is None:
        raise invalid_request("This client's tokens are bound to its certificate: use mutual TLS.")
    if not at.certificate.holds(at.now):
        raise invalid_request("The client certificate is not in its term.")
    return Bound(jkt=at.jkt, x5t=at.certificate.thumbprint)


def issue(
    at: TokenTime,
    *,
    client: Client,
    scope: str,
    basis: Basis | None,
    with_refresh_token: bool,
) -> dict[str, Any]:
    """Issue an access token, and a refresh token where one is due; gives the token response."""
    bound = bound_for(at, client)
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
        "cnf": bound.cnf,
        "agreement_version": agreement.version,
        **(_consent_claims(basis.consent) if basis else {}),
    }
    at.books.keep(_row(claims, basis))
    response = {
        "access_token": jws.sign(claims, typ=TYP, key=at.runtime.keys.current("token", at.now)),
        "token_type": bound.token_type,
        "expires_in": expires - int(at.now.timestamp()),
        "scope": scope,
    }
    if basis:
        response["authorization_details"] = granted_details(basis.consent)
        if with_refresh_token:
            response["refresh_token"] = _refresh_token(at, basis)
    return response


def agreement_of(client: Client, now: datetime) -> Agreement:
    """The agreement in force, without which a client gets nothing."""
    agreement = client.agreement_in_force(now)
    if agreement is None:
        raise OAuthError(
            "unauthorized_client", "No agreement of this client is in force; ask the operator."
        )
    return agreement


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


def _row(claims: Mapping[str, Any], basis: Basis | None) -> dict[str, Any]:
    return {
        "jti": claims["jti"],
        "client_id": claims["client_id"],
        "scope": claims["scope"],
        "uscc": claims.get("uscc"),
        "consent_id": claims.get("consent_id"),
        "code_digest": basis.code_digest if basis else None,
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
    }


def _refresh_token(at: TokenTime, basis: Basis) -> str:
    """A new refresh token; it is bound to its client by that client's authentication alone."""
    token = secrets.token_urlsafe(32)
    at.connection.execute(
        insert(RefreshTokenRow).values(
            digest=at.runtime.digests.of("refresh", token),
            client_id=basis.client_id,
            scope=basis.scope,
            consent_id=basis.consent.consent_id,
            uscc=basis.consent.uscc,
            subject=basis.consent.subject,
            code_digest=basis.code_digest,
            expires_at=basis.consent.valid_until,
        )
    )
    return token
