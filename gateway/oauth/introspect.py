"""Token introspection (RFC 7662): a client may ask about its own tokens only.

Any other token is simply not active.
"""

from collections.abc import Mapping
from typing import Any

from gateway.clients.registry import Client
from gateway.oauth import store
from gateway.oauth.authlib_typing import Reply
from gateway.oauth.authorization_details import granted_details
from gateway.oauth.errors import invalid_request
from gateway.oauth.request_context import RequestContext
from gateway.oauth.token_issuer import TokenBinding
from gateway.signing import jws
from gateway.signing.access_tokens import TokenError

INACTIVE = {"active": False}


def introspect(context: RequestContext, client: Client, parameters: Mapping[str, str]) -> Reply:
    """POST /oauth/introspect: the state of one token of `client`."""
    text = parameters.get("token")
    if text is None:
        raise invalid_request("token is missing.")
    state = _access_token(context, text, client) or _refresh_token(context, text, client)
    in_force = client.agreement_in_force(context.now) is not None
    return 200, state if state and in_force else INACTIVE, ()


def _access_token(context: RequestContext, text: str, client: Client) -> dict[str, Any] | None:
    try:
        token = context.runtime.tokens.verify(text, context.now)
    except TokenError:
        return None
    if token.client_id != client.client_id or not store.access_token_is_valid(
        context.connection, token.jti
    ):
        return None
    claims = jws.unverified_claims(text)  # verified above
    binding = TokenBinding(jkt=token.jkt, x5t=token.x5t)
    state = {"active": True, "token_type": binding.token_type, **claims}
    if token.consent_id is None or token.uscc is None:
        return state
    consent = store.usable_consent(
        context.connection, token.uscc, token.consent_id, now=context.now
    )
    return state | {"authorization_details": granted_details(consent)} if consent else None


def _refresh_token(context: RequestContext, text: str, client: Client) -> dict[str, Any] | None:
    digest = context.runtime.digests.of("refresh", text)
    connection, now = context.connection, context.now
    found = store.valid_refresh_token(connection, digest, client.client_id, now=now)
    consent = found and store.usable_consent(connection, found.uscc, found.consent_id, now=now)
    if not found or not consent:
        return None
    return {
        "active": True,
        "iss": context.runtime.settings.issuer,
        "sub": found.uscc,
        "client_id": found.client_id,
        "scope": found.scope,
        "exp": int(found.expires_at.timestamp()),
        "consent_id": found.consent_id,
        "uscc": found.uscc,
        "authorization_details": granted_details(consent),
    }
