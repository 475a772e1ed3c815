"""The three OAuth grants: authorization code, client credentials, refresh token.

Authlib judges each request (`validate_token_request`, with PKCE); the hooks here redeem the code or
read the refresh token in the request's transaction, and `create_token_response` issues the token.
A code is bound to a key as well; a refresh token to its client only, which is confidential and may
change its keys (RFC 9449 §5, RFC 8705 §4).
"""

from typing import Final

from gateway.oauth import store
from gateway.oauth.authlib_models import AuthlibClient, AuthorizationGrant
from gateway.oauth.authlib_typing import (
    AuthorizationCodeGrant,
    BaseGrant,
    ClientCredentialsGrant,
    CodeChallenge,
    RefreshTokenGrant,
    Reply,
)
from gateway.oauth.errors import invalid_grant
from gateway.oauth.request_context import RequestContext
from gateway.oauth.scopes import scope_for
from gateway.oauth.token_issuer import issue_tokens


class _Grant(BaseGrant):
    """Client authentication and token response, the same for every grant."""

    @property
    def context(self) -> RequestContext:
        context: RequestContext = self.server.context
        return context

    def authenticate_token_endpoint_client(self) -> AuthlibClient:
        self.server.authenticate(self.request, "token")
        client: AuthlibClient = self.request.client
        return client

    def _issued(
        self,
        scope: str | None,
        grant: AuthorizationGrant | None = None,
        *,
        with_refresh_token: bool = False,
    ) -> Reply:
        """The token response; `scope` narrows what the client, and the grant, allow."""
        client = self.request.client.client
        allowed = client.scopes
        if grant is not None:
            allowed = tuple(name for name in grant.scope.split(" ") if name in allowed)
            scope = None if scope == grant.scope else scope
        response = issue_tokens(
            self.context,
            client=client,
            scope=scope_for(scope, allowed),
            grant=grant,
            with_refresh_token=with_refresh_token,
        )
        return 200, response, self.TOKEN_RESPONSE_HEADER


class CodeGrant(_Grant, AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 §4.1): each code once."""

    def query_authorization_code(self, code: str, client: AuthlibClient) -> AuthorizationGrant:
        """The redeemed code; redeemed before it is judged, so that a failure cannot be repeated."""
        context, client_id = self.context, client.client.client_id
        digest = context.runtime.digests.of("code", code)
        redeemed = store.redeem_code(context.connection, digest, client_id, now=context.now)
        if redeemed is None:
            store.revoke_tokens_of_reused_code(
                context.connection, digest, client_id, now=context.now
            )
            raise invalid_grant("This code is unknown, expired, used or another client's.")
        if redeemed.dpop_jkt is not None and redeemed.dpop_jkt != context.jkt:
            raise invalid_grant("The proof's key is not the one that the code is bound to.")
        certificate = context.certificate.thumbprint if context.certificate else None
        if redeemed.x5t_s256 is not None and redeemed.x5t_s256 != certificate:
            raise invalid_grant("The certificate is not the one that the code is bound to.")
        return AuthorizationGrant(
            client_id=redeemed.client_id,
            scope=redeemed.scope,
            code_digest=digest,
            consent=store.require_consent(
                context.connection, redeemed.uscc, redeemed.consent_id, now=context.now
            ),
            redirect_uri=redeemed.redirect_uri,
            code_challenge=redeemed.code_challenge,
        )

    def create_token_response(self) -> Reply:
        """An access token and a refresh token, with the scope of the code."""
        return self._issued(None, self.request.authorization_code, with_refresh_token=True)


class CredentialsGrant(_Grant, ClientCredentialsGrant):
    """The client credentials grant (RFC 6749 §4.4): for calls that need no consent, or name one."""

    def create_token_response(self) -> Reply:
        """An access token."""
        return self._issued(self.request.payload.scope)


class RefreshGrant(_Grant, RefreshTokenGrant):
    """The refresh token grant (RFC 6749 §6), without rotation (FAPI 2.0 §5.3.2.1)."""

    def authenticate_refresh_token(self, refresh_token: str) -> AuthorizationGrant | None:
        """The client's refresh token, if it is valid."""
        context = self.context
        client_id = self.request.client.client.client_id
        digest = context.runtime.digests.of("refresh", refresh_token)
        found = store.valid_refresh_token(context.connection, digest, client_id, now=context.now)
        if found is None:
            return None
        return AuthorizationGrant(
            client_id=found.client_id,
            scope=found.scope,
            code_digest=found.code_digest,
            consent=store.require_consent(
                context.connection, found.uscc, found.consent_id, now=context.now
            ),
        )

    def create_token_response(self) -> Reply:
        """An access token; the refresh token stays as it is."""
        return self._issued(self.request.payload.scope, self.request.refresh_token)


GRANTS: Final[tuple[tuple[type[BaseGrant], list[CodeChallenge] | None], ...]] = (
    (CredentialsGrant, None),
    (CodeGrant, [CodeChallenge(required=True)]),
    (RefreshGrant, None),
)
