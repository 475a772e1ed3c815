"""A registered client, a code and a refresh token as Authlib's grants ask about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consent import Consent
from gateway.clients.registry import Client
from gateway.oauth.authlib_typing import AuthorizationCodeMixin, ClientMixin, TokenMixin

GRANT_TYPES: Final = ("authorization_code", "client_credentials", "refresh_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party(ClientMixin):
    """The client of one request."""

    client: Client

    def get_client_id(self) -> str:
        """Its id."""
        return self.client.client_id

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Every client authenticates everywhere, as it is registered to (`authentication`)."""
        return method == "registered"

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use this grant: those with a consent only where it can be redirected to."""
        return grant_type == "client_credentials" or bool(self.client.redirect_uris)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis(AuthorizationCodeMixin, TokenMixin):
    """What a consent-bound token is issued on: a spent code, or a refresh token, and the consent."""

    client_id: str
    scope: str
    code_digest: bytes
    consent: Consent
    redirect_uri: str = ""
    code_challenge: str = ""
    refresh_expires_at: datetime | None = None

    def get_redirect_uri(self) -> str:
        """Where the code was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was granted."""
        return self.scope

    def check_client(self, party: Party) -> bool:
        """Whether it is this client's."""
        return self.client_id == party.client.client_id
