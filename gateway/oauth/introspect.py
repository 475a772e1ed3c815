"""A client may ask about its own tokens only; any other is simply not active (RFC 7662)."""

from typing import Any, ClassVar

from gateway.clients.registry import Client
from gateway.oauth import store
from gateway.oauth.authlib_models import Party
from gateway.oauth.authlib_typing import IntrospectionEndpoint, OAuth2Request, Reply
from gateway.oauth.authorization_details import granted_details
from gateway.oauth.client_authentication import METHOD
from gateway.oauth.errors import invalid_request
from gateway.oauth.token_issuer import Bound, TokenTime
from gateway.signing import jws
from gateway.signing.access_tokens import TokenError

INACTIVE = {"active": False}


class Introspection(IntrospectionEndpoint):
    """POST /oauth/introspect."""

    ENDPOINT_NAME = "introspect"
    CLIENT_AUTH_METHODS: ClassVar = [METHOD]

    def create_endpoint_response(self, request: OAuth2Request) -> Reply:
        """Authenticate the client first; then tell what its token still gives."""
        party: Party = self.authenticate_endpoint_client(request)
        text = request.payload.data.get("token")
        if text is None:
            raise invalid_request("token is missing.")
        at: TokenTime = self.server.at
        held = party.client.agreement_in_force(at.now) is not None
        told = _access_token(at, text, party.client) or _refresh_token(at, text, party.client)
        return 200, told if told and held else INACTIVE, [("Cache-Control", "no-store")]


def _access_token(at: TokenTime, text: str, client: Client) -> dict[str, Any] | None:
    try:
        token = at.runtime.tokens.verify(text, at.now)
    except TokenError:
        return None
    if token.client_id != client.client_id or not store.access_token_lives(
        at.connection, token.jti
    ):
        return None
    claims = jws.unverified_claims(text)  # verified above
    bound = Bound(jkt=token.jkt, x5t=token.x5t)
    told = {"active": True, "token_type": bound.token_type, **claims}
    if token.consent_id is None or token.uscc is None:
        return told
    consent = store.consent_now(at.connection, token.uscc, token.consent_id, now=at.now)
    return told | {"authorization_details": granted_details(consent)} if consent else None


def _refresh_token(at: TokenTime, text: str, client: Client) -> dict[str, Any] | None:
    digest = at.runtime.digests.of("refresh", text)
    found = store.living_refresh_token(at.connection, digest, client.client_id, now=at.now)
    consent = found and store.consent_now(at.connection, found.uscc, found.consent_id, now=at.now)
    if not found or not consent:
        return None
    return {
        "active": True,
        "iss": at.runtime.settings.issuer,
        "sub": found.uscc,
        "client_id": found.client_id,
        "scope": found.scope,
        "exp": int(found.expires_at.timestamp()),
        "consent_id": found.consent_id,
        "uscc": found.uscc,
        "authorization_details": granted_details(consent),
    }
