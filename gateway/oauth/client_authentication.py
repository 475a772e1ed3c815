"""Client authentication by the one method that a client is registered for (RFC 8705 §2, RFC 7523).

By certificate, or by assertion (`client_assertion`) wherever one is sent. An unknown client, another
method and another certificate give the same error, after one statement and the same comparisons.
"""

from collections.abc import Mapping
from typing import Final

from gateway.clients.authentication_method import (
    SELF_SIGNED,
    SUBJECTS,
    TLS_CLIENT_AUTH,
    Authentication,
)
from gateway.clients.certificates import Certificate
from gateway.clients.registration import CLIENT_ID
from gateway.clients.registry import Client
from gateway.oauth.client_assertion import authenticate_by_assertion
from gateway.oauth.errors import explained_invalid_client, invalid_client
from gateway.oauth.request_context import RequestContext

# Registrations to compare a certificate with where the client has another one, or is unknown.
STAND_INS: Final = (
    Authentication(token_endpoint_auth_method=SELF_SIGNED),
    *(
        Authentication.of({"token_endpoint_auth_method": TLS_CLIENT_AUTH, name: value})
        for name, value in zip(
            SUBJECTS,
            ("CN=nobody", "nobody.invalid", "urn:nobody", "192.0.2.1", "nobody@nobody.invalid"),
            strict=True,
        )
    ),
)
ASSERTION_PARAMETERS: Final = frozenset(
    {"client_assertion", "client_assertion_type", "client_secret"}
)


def authenticate_client(context: RequestContext, parameters: Mapping[str, str]) -> Client:
    """The client that sent `parameters`; raises `invalid_client`."""
    if context.certificate is None or ASSERTION_PARAMETERS & parameters.keys():
        return authenticate_by_assertion(
            parameters,
            unit_of_work=context.unit_of_work,
            issuer=context.runtime.settings.issuer,
            now=context.now,
        )
    return _by_certificate(context, parameters, context.certificate)


def _by_certificate(
    context: RequestContext, parameters: Mapping[str, str], certificate: Certificate
) -> Client:
    # 1. the certificate is in its term
    if not certificate.is_valid_at(context.now):
        raise explained_invalid_client("The client certificate is not in its term.")
    # 2. the client that it claims to be
    claimed = parameters.get("client_id")
    if claimed is None:
        raise explained_invalid_client("Beside a client certificate client_id says whose it is.")
    client = context.unit_of_work.client(claimed) if CLIENT_ID.fullmatch(claimed) else None
    # 3. it is that client's, which is registered to authenticate so
    if client is None or not certificate.belongs_to(client.authentication, client.keys):
        _compare_in_vain(certificate, client)
        raise invalid_client("unknown client, or another certificate")
    # 4. the client is not suspended
    if not client.active:
        raise invalid_client("suspended", "This client is suspended; ask the operator.")
    return client


def _compare_in_vain(certificate: Certificate, client: Client | None) -> None:
    """Make each kind of comparison that the client's registration has not called for."""
    made = _comparison(client.authentication) if client else None
    for each in STAND_INS:
        if _comparison(each) != made:
            certificate.belongs_to(each, ())


def _comparison(registered: Authentication) -> str:
    """The kind of comparison that a registration calls for."""
    return next(
        (name for name in SUBJECTS if getattr(registered, name) is not None),
        registered.token_endpoint_auth_method,
    )
