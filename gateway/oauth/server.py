"""One server object serves one request, on its books; what it answers are values.

Authlib finds the grant or the endpoint; tokens are made by `issue`, refusals are worded by `errors`
and logged here, with their reason and never with what was sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from gateway.clients.key_sets import signer_of
from gateway.clients.registration import CLIENT_ID, SCOPES
from gateway.oauth.authlib_models import Basis, Party
from gateway.oauth.authlib_typing import (
    AuthorizationServer,
    BasicOAuth2Payload,
    Headers,
    OAuth2Error,
    OAuth2Request,
)
from gateway.oauth.client_authentication import METHOD, RegisteredAuthentication
from gateway.oauth.errors import OAuthError, invalid_request, reason_of, reply_of
from gateway.oauth.form import PostedFields
from gateway.oauth.grants import GRANTS
from gateway.oauth.introspect import Introspection
from gateway.oauth.par import PushedAuthorization
from gateway.oauth.rate_limit import count
from gateway.oauth.revoke import Revocation
from gateway.oauth.scopes import scope_for
from gateway.oauth.token_issuer import TokenTime, bound_for, issue
from gateway.privacy.redaction import for_logs

log = structlog.get_logger("gateway.oauth")

ENDPOINTS = (PushedAuthorization, Introspection, Revocation)
NOT_JSON = frozenset({"content-type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back: an OAuth JSON object."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class PostedForm(OAuth2Request):
    """A request at the canonical address.

    Authlib wants https and would let a process-wide environment variable relax that; here the
    settings have settled it at start-up: the issuer is https, or the demo's loopback.
    """

    def __init__(self, url: str, form: PostedFields) -> None:
        super().__init__("POST", "https://" + url.partition("://")[2])
        self.uri = url
        self.resources = form.resources
        self.payload = BasicOAuth2Payload(dict(form.parameters))

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters."""
        return self.payload.data


class OAuthServer(AuthorizationServer):
    """The authorization server, for one request."""

    def __init__(self, at: TokenTime) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.at = at
        self.register_client_auth_method(METHOD, RegisteredAuthentication(at=at))
        for grant, extensions in GRANTS:
            self.register_grant(grant, extensions)
        for endpoint in ENDPOINTS:
            self.register_endpoint(endpoint)

    def answer(self, endpoint: str, request: PostedForm) -> Answer:
        """The answer of one endpoint, be it a refusal."""
        try:
            _check_resources(request, self.at.runtime.settings.issuer)
            if endpoint == "token":
                _check_token_request(request)
        except OAuthError as error:
            return self.handle_error_response(request, error)
        answer: Answer = (
            self.create_token_response(request)
            if endpoint == "token"
            else self.create_endpoint_response(endpoint, request)
        )
        return answer

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        """It is one already."""
        return request

    def query_client(self, client_id: str) -> Party | None:
        """The client of this id, suspended or not."""
        client = self.at.books.client(client_id)
        return Party(client=client) if client else None

    def authenticate_client(
        self, request: OAuth2Request, methods: list[str], endpoint: str = "token"
    ) -> Party:
        """Who it is; then this request counts: nobody can use up what is another client's.

        Whose token could be bound to nothing is refused before its code is spent.
        """
        party: Party = super().authenticate_client(request, methods, endpoint)
        count(self.at, party.client, endpoint)
        if endpoint == "token":
            bound_for(self.at, party.client)
        return party

    def generate_token(  # as Authlib calls it
        self,
        grant_type: str,  # noqa: ARG002
        client: Party,
        user: Basis | None = None,
        scope: str | None = None,
        expires_in: int | None = None,  # noqa: ARG002
        include_refresh_token: bool = True,  # noqa: FBT001, FBT002
    ) -> dict[str, Any]:
        """Make and keep the tokens; give the token response."""
        allowed = client.client.scopes
        if user is not None:
            granted = user.scope.split(" ")
            allowed = tuple(name for name in granted if name in allowed)
            scope = None if scope == user.scope else scope
        return issue(
            self.at,
            client=client.client,
            scope=scope_for(scope, allowed),
            basis=user,
            with_refresh_token=include_refresh_token,
        )

    def save_token(self, _token: Mapping[str, Any], _request: OAuth2Request) -> None:
        """It was kept when it was made."""

    def send_signal(self, name: str, *_arguments: object, **_named: object) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Headers) -> Answer:
        """The answer as a value."""
        return Answer(
            status=status,
            body=body,
            headers={name: value for name, value in headers if name.lower() not in NOT_JSON},
        )

    def handle_error_response(self, request: OAuth2Request, error: OAuth2Error) -> Answer:
        """Log why, for the operator; answer what the client may know."""
        log_refusal(error, request.client, request.payload.data)
        return self.handle_response(*reply_of(error))


def log_refusal(error: OAuth2Error, party: Party | None, sent: Mapping[str, str]) -> None:
    """One line for each refusal, with its reason and the client, if it is known.

    Else with the one that `client_id` names, or the assertion, whoever made it.
    """
    known = party.client.client_id if party else None
    signer = signer_of(sent.get("client_assertion"))
    claimed = sent.get("client_id") or (signer.client_id if signer else None)
    # Whatever a stranger writes there may be somebody's number.
    claimed = for_logs(claimed) if claimed and CLIENT_ID.fullmatch(claimed) else None
    log.info(
        "refused",
        error=error.error,
        reason=for_logs(reason_of(error)),
        client_id=known,
        claimed_client_id=claimed,
    )


def _check_resources(request: PostedForm, issuer: str) -> None:
    """RFC 8707: there is one resource server here."""
    if any(resource.removesuffix("/") != issuer for resource in request.resources):
        raise OAuthError("invalid_target", "The only resource here is the issuer itself.")


def _check_token_request(request: PostedForm) -> None:
    if "grant_type" not in request.form:
        raise invalid_request("grant_type is missing.")
    if "authorization_details" in request.form:
        raise invalid_request("authorization_details belong into the pushed authorization request.")
