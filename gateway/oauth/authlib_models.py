"""A client and an authorization grant with the methods that Authlib's grants call."""

from dataclasses import dataclass
from typing import ClassVar, Final

from consent import Consent
from gateway.clients.registry import Client
from gateway.oauth.authlib_typing import AuthorizationCodeMixin, ClientMixin, TokenMixin

GRANT_TYPES: Final = ("authorization_code", "client_credentials", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthlibClient(ClientMixin):
    """The authenticated client of one request."""

    client: Client

    def check_grant_type(self, grant_type: str) -> bool:
        """True for a grant that it may use: those with a consent need a redirect address."""
        return grant_type == "client_credentials" or bool(self.client.redirect_uris)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationGrant(AuthorizationCodeMixin, TokenMixin):
    """A redeemed code or a valid refresh token, with the consent behind it."""

    code_challenge_method: ClassVar = "S256"

    client_id: str
    scope: str
    code_digest: bytes
    consent: Consent
    redirect_uri: str = ""
    code_challenge: str = ""

    def get_redirect_uri(self) -> str:
        """The address that the code was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scope that was granted."""
        return self.scope

    def check_client(self, client: AuthlibClient) -> bool:
        """True where the grant is this client's."""
        return self.client_id == client.client.client_id
