"""Pushed authorization requests (RFC 9126): check and store one before a browser is involved.

No answer depends on the enterprise that is asked about.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import insert

from consent import Request
from consent.mapping import request_to_json
from gateway.clients.registration import allowed_redirect
from gateway.clients.registry import Client
from gateway.oauth.authlib_typing import Reply
from gateway.oauth.authorization_details import enterprise_in, requested_consent
from gateway.oauth.dpop import invalid_proof
from gateway.oauth.errors import OAuthError, invalid_request
from gateway.oauth.request_context import RequestContext
from gateway.oauth.scopes import scope_for
from gateway.oauth.tables import PushedRequestRow
from gateway.oauth.token_issuer import agreement_in_force
from gateway.transparency.disclosure_leaf import LeafKind

PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
REQUEST_LIFETIME: Final = timedelta(seconds=90)
LONGEST_STATE: Final = 4_096
REFUSED: Final[LeafKind] = "consent_request"
_S256_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A pushed request under check."""

    context: RequestContext
    client: Client
    parameters: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """One parameter, if it was given."""
        return self.parameters.get(name)


def push(context: RequestContext, client: Client, parameters: Mapping[str, str]) -> Reply:
    """POST /oauth/par: check the request and store it for a short while."""
    pushed = Pushed(context=context, client=client, parameters=parameters)
    try:
        for check in CHECKS:
            check(pushed)
        stored = _stored(pushed)
    except OAuthError as error:
        _count_refused(pushed, error)
        raise
    request_uri = PREFIX + secrets.token_urlsafe(32)
    context.connection.execute(
        insert(PushedRequestRow).values(
            digest=context.runtime.digests.of("request_uri", request_uri),
            client_id=client.client_id,
            parameters=stored,
            dpop_jkt=context.jkt or pushed.get("dpop_jkt"),
            x5t_s256=_certificate(pushed),
            expires_at=context.now + REQUEST_LIFETIME,
        )
    )
    seconds = int(REQUEST_LIFETIME.total_seconds())
    return 201, {"request_uri": request_uri, "expires_in": seconds}, ()


def _count_refused(pushed: Pushed, error: OAuthError) -> None:
    """Count the refusal for the named enterprise: no daily limit bounds such refusals."""
    uscc = enterprise_in(pushed.get("authorization_details"))
    if uscc is not None:
        pushed.context.runtime.refusal_counter.count(
            pushed.client.client_id, uscc, kind=REFUSED, reason=error.error, now=pushed.context.now
        )


def _certificate(pushed: Pushed) -> str | None:
    """The certificate's thumbprint to bind the code to, where the client's tokens are bound to one."""
    bound = pushed.client.authentication.tls_client_certificate_bound_access_tokens
    return pushed.context.certificate.thumbprint if bound and pushed.context.certificate else None


def _stored(pushed: Pushed) -> dict[str, Any]:
    """The parameters that the decision page and the code need; the last checks are made with them."""
    request = requested_consent(
        pushed.parameters["authorization_details"],
        client_id=pushed.client.client_id,
        agreement=agreement_in_force(pushed.client, pushed.context.now),
        catalogue=pushed.context.runtime.catalogue,
        now=pushed.context.now,
    )
    return {
        **request_to_json(request),
        "redirect_uri": pushed.get("redirect_uri"),
        "state": pushed.get("state"),
        "scope": _scope(pushed, request),
        "code_challenge": pushed.get("code_challenge"),
    }


def _scope(pushed: Pushed, request: Request) -> str:
    """The requested scope; by default what the datasets and questions need and the client may have."""
    needed = (("query", request.datasets), ("verify", request.questions))
    usable = [name for name, items in needed if items and name in pushed.client.scopes]
    asked = pushed.get("scope") or " ".join(usable)
    return scope_for(asked or "none", pushed.client.scopes)


def _nothing_by_reference(pushed: Pushed) -> None:
    if pushed.get("request_uri"):
        raise invalid_request(
            "request_uri cannot stand in a pushed request; it is what you get for one."
        )
    if pushed.get("request"):
        raise OAuthError(
            "request_not_supported", "Signed request objects are not taken; push the parameters."
        )


def _registered_redirect_uri(pushed: Pushed) -> None:
    uri = pushed.get("redirect_uri")
    loopback = pushed.context.runtime.settings.demo
    if (
        uri is None
        or uri not in pushed.client.redirect_uris
        or not allowed_redirect(uri, loopback=loopback)
    ):
        raise invalid_request(
            "redirect_uri must be one of those registered, character by character."
        )


def _code_response(pushed: Pushed) -> None:
    if pushed.get("response_type") is None:
        raise invalid_request("response_type is missing.")
    if pushed.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "The only response_type here is code.")
    if pushed.get("response_mode") not in {None, "query"}:
        raise invalid_request("The only response_mode here is query.")


def _pkce_s256(pushed: Pushed) -> None:
    if pushed.get("code_challenge_method") != "S256":
        raise invalid_request("code_challenge_method must be S256.")
    if not _S256_CHALLENGE.fullmatch(pushed.get("code_challenge") or ""):
        raise invalid_request("code_challenge must be an S256 challenge of 43 characters.")


def _state_can_be_kept(pushed: Pushed) -> None:
    if len(pushed.get("state") or "") > LONGEST_STATE:
        raise invalid_request(f"state is longer than {LONGEST_STATE} characters.")


def _one_key(pushed: Pushed) -> None:
    """RFC 9449 §10: the code may be bound to a key by `dpop_jkt`, by a proof, or by both alike."""
    jkt = pushed.get("dpop_jkt")
    if jkt is not None and not _S256_CHALLENGE.fullmatch(jkt):
        raise invalid_request("dpop_jkt must be a SHA-256 thumbprint of 43 characters.")
    if jkt is not None and pushed.context.jkt not in {None, jkt}:
        raise invalid_proof("dpop_jkt is not the thumbprint of the proof's key.")


def _something_asked(pushed: Pushed) -> None:
    if not pushed.get("authorization_details"):
        raise invalid_request("authorization_details of the type credit_data are missing.")


CHECKS: Final[tuple[Callable[[Pushed], None], ...]] = (
    _nothing_by_reference,
    _registered_redirect_uri,
    _code_response,
    _pkce_s256,
    _state_can_be_kept,
    _one_key,
    _something_asked,
)
