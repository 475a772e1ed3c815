"""A grant gives a token to the one client and the one living consent that it was made for.

A code is bound to a key besides. A refresh token is not: every client is confidential, so what binds it
is the client's authentication, and the client may change its keys (RFC 9449 §5, RFC 8705 §4).

Authlib runs the grants; these hooks read and spend in the request's own transaction.
"""

from types import MappingProxyType
from typing import ClassVar, Final

from gateway.oauth import store
from gateway.oauth.authlib_models import Basis, Party
from gateway.oauth.authlib_typing import (
    AuthorizationCodeGrant,
    BaseGrant,
    ClientCredentialsGrant,
    CodeChallenge,
    RefreshTokenGrant,
    create_s256_code_challenge,
)
from gateway.oauth.client_authentication import METHOD
from gateway.oauth.errors import invalid_grant
from gateway.oauth.token_issuer import TokenTime


class CodeGrant(AuthorizationCodeGrant):
    """RFC 6749 §4.1: a code, once."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = [METHOD]

    def query_authorization_code(self, code: str, party: Party) -> Basis:
        """Spend the code first, then judge it: whoever fails here has to begin anew."""
        at = self.server.at
        digest = at.runtime.digests.of("code", code)
        spent = store.spend_code(at.connection, digest, party.client.client_id, now=at.now)
        if spent is None:
            store.revoke_what_a_reused_code_gave(
                at.connection, digest, party.client.client_id, now=at.now
            )
            raise invalid_grant("This code is unknown, expired, used or another client's.")
        if spent.dpop_jkt is not None and spent.dpop_jkt != at.jkt:
            raise invalid_grant("The proof's key is not the one that the code is bound to.")
        if not _with_certificate(at, spent.x5t_s256):
            raise invalid_grant("The certificate is not the one that the code is bound to.")
        return Basis(
            client_id=spent.client_id,
            scope=spent.scope,
            code_digest=digest,
            consent=store.living_consent(at.connection, spent.uscc, spent.consent_id, now=at.now),
            redirect_uri=spent.redirect_uri,
            code_challenge=spent.code_challenge,
        )

    def authenticate_user(self, basis: Basis) -> Basis:
        """Whom a token is about stands in what it is issued on."""
        return basis

    def delete_authorization_code(self, _basis: Basis) -> None:
        """It is spent already."""


class CredentialsGrant(ClientCredentialsGrant):
    """RFC 6749 §4.4: for calls that need no consent, or name one."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = [METHOD]


class RefreshGrant(RefreshTokenGrant):
    """RFC 6749 §6, without rotation (FAPI 2.0 §5.3.2.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = [METHOD]
    INCLUDE_NEW_REFRESH_TOKEN = False

    def authenticate_refresh_token(self, refresh_token: str) -> Basis | None:
        """This client's refresh token, if it lives."""
        at = self.server.at
        party: Party = self.request.client
        digest = at.runtime.digests.of("refresh", refresh_token)
        found = store.living_refresh_token(
            at.connection, digest, party.client.client_id, now=at.now
        )
        if found is None:
            return None
        return Basis(
            client_id=found.client_id,
            scope=found.scope,
            code_digest=found.code_digest,
            consent=store.living_consent(at.connection, found.uscc, found.consent_id, now=at.now),
        )

    def authenticate_user(self, basis: Basis) -> Basis:
        """Whom a token is about stands in what it is issued on."""
        return basis

    def revoke_old_credential(self, _basis: Basis) -> None:
        """It goes on: only its client can use it."""


def _with_certificate(at: TokenTime, x5t: str | None) -> bool:
    """Whether the caller came with this certificate, if it had to be one."""
    return x5t is None or (at.certificate is not None and at.certificate.thumbprint == x5t)


class S256Only(CodeChallenge):
    """RFC 7636, S256 only. There is no `plain` to forget to forbid."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]
    CODE_CHALLENGE_METHODS: ClassVar = MappingProxyType(
        {
            "S256": lambda verifier, challenge: create_s256_code_challenge(verifier) == challenge,
        }
    )

    def get_authorization_code_challenge_method(self, _basis: Basis) -> str:
        """The only one."""
        return "S256"


GRANTS: Final[tuple[tuple[type[BaseGrant], list[CodeChallenge] | None], ...]] = (
    (CredentialsGrant, None),
    (CodeGrant, [S256Only(required=True)]),
    (RefreshGrant, None),
)
