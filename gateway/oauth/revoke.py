"""A client may end its own tokens; a refresh token takes all that came of it along (RFC 7009).

A token that is unknown, over or ended already is answered 200; another client's is refused.
"""

from typing import ClassVar

from gateway.oauth import store
from gateway.oauth.authlib_models import Party
from gateway.oauth.authlib_typing import OAuth2Request, Reply, RevocationEndpoint
from gateway.oauth.client_authentication import METHOD
from gateway.oauth.errors import invalid_grant, invalid_request
from gateway.oauth.token_issuer import TokenTime
from gateway.signing.access_tokens import TokenError


class Revocation(RevocationEndpoint):
    """POST /oauth/revoke."""

    ENDPOINT_NAME = "revoke"
    CLIENT_AUTH_METHODS: ClassVar = [METHOD]

    def create_endpoint_response(self, request: OAuth2Request) -> Reply:
        """Authenticate the client first; then end its token."""
        party: Party = self.authenticate_endpoint_client(request)
        text = request.payload.data.get("token")
        if text is None:
            raise invalid_request("token is missing.")
        _end(self.server.at, text, party.client.client_id)
        return 200, {}, [("Cache-Control", "no-store")]


def _end(at: TokenTime, text: str, client_id: str) -> None:
    try:
        token = at.runtime.tokens.verify(text, at.now)
    except TokenError:
        _end_refresh_token(at, text, client_id)
        return
    _own(token.client_id, client_id)
    store.revoke_access_token(at.connection, token.jti, client_id, now=at.now)


def _end_refresh_token(at: TokenTime, text: str, client_id: str) -> None:
    digest = at.runtime.digests.of("refresh", text)
    found = store.refresh_token_owner(at.connection, digest)
    if found is None:
        return
    _own(found.client_id, client_id)
    store.revoke_family(at.connection, found.code_digest, now=at.now)


def _own(owner: str, client_id: str) -> None:
    if owner != client_id:
        raise invalid_grant("This token is not this client's.")
