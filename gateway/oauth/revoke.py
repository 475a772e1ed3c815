"""Token revocation (RFC 7009): a client ends its own tokens.

A refresh token takes every token of its code along. An unknown, expired or revoked token is answered
200; another client's is refused.
"""

from collections.abc import Mapping

from gateway.clients.registry import Client
from gateway.oauth import store
from gateway.oauth.authlib_typing import Reply
from gateway.oauth.errors import invalid_grant, invalid_request
from gateway.oauth.request_context import RequestContext
from gateway.signing.access_tokens import TokenError


def revoke(context: RequestContext, client: Client, parameters: Mapping[str, str]) -> Reply:
    """POST /oauth/revoke: end one token of `client`."""
    text = parameters.get("token")
    if text is None:
        raise invalid_request("token is missing.")
    try:
        token = context.runtime.tokens.verify(text, context.now)
    except TokenError:
        _revoke_refresh_token(context, text, client.client_id)
    else:
        _check_owner(token.client_id, client.client_id)
        store.revoke_access_token(context.connection, token.jti, client.client_id, now=context.now)
    return 200, {}, ()


def _revoke_refresh_token(context: RequestContext, text: str, client_id: str) -> None:
    digest = context.runtime.digests.of("refresh", text)
    found = store.refresh_token_owner(context.connection, digest)
    if found is None:
        return
    _check_owner(found.client_id, client_id)
    store.revoke_tokens_of_code(context.connection, found.code_digest, now=context.now)


def _check_owner(owner: str, client_id: str) -> None:
    if owner != client_id:
        raise invalid_grant("This token is not this client's.")
