"""The authorization server of one request: dispatch, client authentication, refusals.

Authlib finds the grant of a token request and judges it; refusals are worded by `errors` and logged
here with their reason, never with what was sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import structlog

from gateway.clients.key_sets import signer_of
from gateway.clients.registration import CLIENT_ID, SCOPES
from gateway.clients.registry import Client
from gateway.oauth.authlib_models import AuthlibClient
from gateway.oauth.authlib_typing import (
    AuthorizationServer,
    BasicOAuth2Payload,
    OAuth2Error,
    OAuth2Request,
    Reply,
)
from gateway.oauth.client_authentication import authenticate_client
from gateway.oauth.errors import OAuthError, invalid_request, reason_of, reply_of
from gateway.oauth.form import PostedFields
from gateway.oauth.grants import GRANTS
from gateway.oauth.introspect import introspect
from gateway.oauth.par import push
from gateway.oauth.rate_limit import count_request
from gateway.oauth.request_context import RequestContext
from gateway.oauth.revoke import revoke
from gateway.oauth.token_issuer import token_binding
from gateway.privacy.redaction import for_logs

log = structlog.get_logger("gateway.oauth")

ENDPOINTS: Final[Mapping[str, Callable[[RequestContext, Client, Mapping[str, str]], Reply]]] = {
    "par": push,
    "introspect": introspect,
    "revoke": revoke,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response: an OAuth JSON object with its status and headers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    def with_nonce(self, nonce: str) -> Self:
        """The same with the nonce for the next proof, unless it brings one."""
        return replace(self, headers={"DPoP-Nonce": nonce, **self.headers})


class PostedForm(OAuth2Request):
    """An Authlib request made of a posted form, at the canonical address.

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

    def __init__(self, context: RequestContext) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.context = context
        for grant, extensions in GRANTS:
            self.register_grant(grant, extensions)

    def answer(self, endpoint: str, request: PostedForm) -> Answer:
        """The response of one endpoint, refusals included."""
        try:
            _check_resources(request, self.context.runtime.settings.issuer)
            if endpoint == "token":
                return _answer(self._token_reply(request))
            client = self.authenticate(request, endpoint)
            return _answer(ENDPOINTS[endpoint](self.context, client, request.form))
        except OAuth2Error as error:
            return self.refuse(request, error)

    def authenticate(self, request: PostedForm, endpoint: str) -> Client:
        """The authenticated client; its request is counted then, so that none is counted for another.

        At the token endpoint a client whose token could be bound to nothing is refused here, before
        its code is redeemed.
        """
        client = authenticate_client(self.context, request.form)
        request.client = AuthlibClient(client=client)
        count_request(self.context, client, endpoint)
        if endpoint == "token":
            token_binding(self.context, client)
        return client

    def refuse(self, request: PostedForm, error: OAuth2Error) -> Answer:
        """The response to a refused request; the reason goes to the log."""
        log_refusal(error, request.client, request.form)
        return _answer(reply_of(error))

    def _token_reply(self, request: PostedForm) -> Reply:
        if "grant_type" not in request.form:
            raise invalid_request("grant_type is missing.")
        if "authorization_details" in request.form:
            raise invalid_request(
                "authorization_details belong into the pushed authorization request."
            )
        grant = self.get_token_grant(request)
        grant.validate_token_request()
        return grant.create_token_response()


def log_refusal(error: OAuth2Error, client: AuthlibClient | None, sent: Mapping[str, str]) -> None:
    """Log a refusal in one line: its reason, the client if known, and the client that was claimed.

    The claim is `client_id`, or the subject of the assertion.
    """
    known = client.client.client_id if client else None
    signer = signer_of(sent.get("client_assertion"))
    claimed = sent.get("client_id") or (signer.client_id if signer else None)
    # What a stranger sends as an id may be a person's number.
    claimed = for_logs(claimed) if claimed and CLIENT_ID.fullmatch(claimed) else None
    log.info(
        "refused",
        error=error.error,
        reason=for_logs(reason_of(error)),
        client_id=known,
        claimed_client_id=claimed,
    )


def _answer(reply: Reply) -> Answer:
    status, body, headers = reply
    return Answer(status=status, body=body, headers=dict(headers))


def _check_resources(request: PostedForm, issuer: str) -> None:
    """Refuse another resource server (RFC 8707): the issuer is the only one."""
    if any(resource.removesuffix("/") != issuer for resource in request.resources):
        raise OAuthError("invalid_target", "The only resource here is the issuer itself.")
