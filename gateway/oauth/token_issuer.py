"""Issue access tokens (RFC 9068) and refresh tokens.

An access token is bound to the caller's key or certificate and never outlives its consent or the
agreement. `sub` is the enterprise of a consent, else the client; the person who decided is not named.
State is not in the token: each call reads it anew.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert

from consent import Consent
from gateway.clients.agreements import Agreement
from gateway.clients.registry import Client
from gateway.oauth.authlib_models import AuthorizationGrant
from gateway.oauth.authorization_details import granted_details
from gateway.oauth.errors import OAuthError, invalid_request
from gateway.oauth.request_context import RequestContext
from gateway.oauth.tables import RefreshTokenRow
from gateway.signing import jws
from gateway.signing.access_tokens import TYP

ACCESS_TOKEN_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBinding:
    """The key that a token is bound to: a DPoP key, a certificate, or both."""

    jkt: str | None
    x5t: str | None

    @property
    def cnf(self) -> dict[str, str]:
        """The confirmation claim (RFC 7800, RFC 9449 §6.1, RFC 8705 §3.1)."""
        both = {"jkt": self.jkt, "x5t#S256": self.x5t}
        return {name: value for name, value in both.items() if value is not None}

    @property
    def token_type(self) -> str:
        """The authentication scheme of such a token."""
        return "DPoP" if self.jkt is not None else "Bearer"


def token_binding(context: RequestContext, client: Client) -> TokenBinding:
    """The binding of this client's tokens; raises `OAuthError` where there could be none."""
    if not client.authentication.tls_client_certificate_bound_access_tokens:
        if context.jkt is None:
            raise OAuthError("invalid_dpop_proof", "Send exactly one DPoP header.")
        return TokenBinding(jkt=context.jkt, x5t=None)
    if context.certificate is None:
        raise invalid_request("This client's tokens are bound to its certificate: use mutual TLS.")
    if not context.certificate.is_valid_at(context.now):
        raise invalid_request("The client certificate is not in its term.")
    return TokenBinding(jkt=context.jkt, x5t=context.certificate.thumbprint)


def issue_tokens(
    context: RequestContext,
    *,
    client: Client,
    scope: str,
    grant: AuthorizationGrant | None,
    with_refresh_token: bool,
) -> dict[str, Any]:
    """Issue an access token, and a refresh token if asked; returns the token response."""
    binding = token_binding(context, client)
    agreement = agreement_in_force(client, context.now)
    expires = _expiry(context.now, agreement, grant)
    claims = {
        "iss": context.runtime.settings.issuer,
        "aud": context.runtime.settings.issuer,
        "sub": grant.consent.uscc if grant else client.client_id,
        "client_id": client.client_id,
        "scope": scope,
        "jti": secrets.token_urlsafe(24),
        "iat": int(context.now.timestamp()),
        "exp": expires,
        "cnf": binding.cnf,
        "agreement_version": agreement.version,
        **(_consent_claims(grant.consent) if grant else {}),
    }
    context.unit_of_work.store_token(_row(claims, grant))
    response = {
        "access_token": jws.sign(
            claims, typ=TYP, key=context.runtime.keys.current("token", context.now)
        ),
        "token_type": binding.token_type,
        "expires_in": expires - int(context.now.timestamp()),
        "scope": scope,
    }
    if grant:
        response["authorization_details"] = granted_details(grant.consent)
        if with_refresh_token:
            response["refresh_token"] = _refresh_token(context, grant)
    return response


def agreement_in_force(client: Client, now: datetime) -> Agreement:
    """The client's agreement in force; raises `unauthorized_client`."""
    agreement = client.agreement_in_force(now)
    if agreement is None:
        raise OAuthError(
            "unauthorized_client", "No agreement of this client is in force; ask the operator."
        )
    return agreement


def _expiry(now: datetime, agreement: Agreement, grant: AuthorizationGrant | None) -> int:
    ends = [agreement.valid_until, *([grant.consent.valid_until] if grant else [])]
    latest = min(int(moment.timestamp()) for moment in ends)
    return max(min(int(now.timestamp()) + ACCESS_TOKEN_SECONDS, latest), int(now.timestamp()) + 1)


def _consent_claims(consent: Consent) -> dict[str, Any]:
    return {
        "consent_id": consent.consent_id,
        "uscc": consent.uscc,
        "authorization_details": granted_details(consent),
    }


def _row(claims: Mapping[str, Any], grant: AuthorizationGrant | None) -> dict[str, Any]:
    return {
        "jti": claims["jti"],
        "client_id": claims["client_id"],
        "scope": claims["scope"],
        "uscc": claims.get("uscc"),
        "consent_id": claims.get("consent_id"),
        "code_digest": grant.code_digest if grant else None,
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC),
    }


def _refresh_token(context: RequestContext, grant: AuthorizationGrant) -> str:
    """A new refresh token, bound to its client by client authentication alone."""
    token = secrets.token_urlsafe(32)
    context.connection.execute(
        insert(RefreshTokenRow).values(
            digest=context.runtime.digests.of("refresh", token),
            client_id=grant.client_id,
            scope=grant.scope,
            consent_id=grant.consent.consent_id,
            uscc=grant.consent.uscc,
            subject=grant.consent.subject,
            code_digest=grant.code_digest,
            expires_at=grant.consent.valid_until,
        )
    )
    return token
