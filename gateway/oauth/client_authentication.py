"""A client is judged by the one method that it is registered for; another one proves nothing.

By certificate (RFC 8705 §2), or by assertion (`client_assertion`) wherever one is sent. Whether a
client is unknown, registered otherwise or has another certificate is told by nothing: the same
error, after the same one statement and the same comparisons.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.clients.authentication import SELF_SIGNED, SUBJECTS, TLS_CLIENT_AUTH, Authentication
from gateway.clients.certificates import Certificate
from gateway.clients.registration import CLIENT_ID
from gateway.clients.registry import Client
from gateway.oauth.authlib_models import Party
from gateway.oauth.authlib_typing import OAuth2Request
from gateway.oauth.client_assertion import ClientAssertion
from gateway.oauth.errors import invalid_client
from gateway.oauth.token_issuer import TokenTime

# What Authlib calls it: every client authenticates, as it is registered to.
METHOD: Final = "registered"
# What a certificate is compared with in vain, in place of what an unknown client is registered with.
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
OTHER_WAYS: Final = frozenset({"client_assertion", "client_assertion_type", "client_secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredAuthentication:
    """The client authentication that Authlib calls; one request's."""

    at: TokenTime

    def __call__(
        self, query_client: Callable[[str], Party | None], request: OAuth2Request
    ) -> Party:
        """The client of `request`; raises `invalid_client`."""
        at, parameters = self.at, request.payload.data
        if at.certificate is None or OTHER_WAYS & parameters.keys():
            by_assertion = ClientAssertion(
                books=at.books, issuer=at.runtime.settings.issuer, now=at.now
            )
            return by_assertion(query_client, request)
        party = self._by_certificate(query_client, parameters, at.certificate)
        request.client = party
        return party

    def _by_certificate(
        self,
        query_client: Callable[[str], Party | None],
        parameters: Mapping[str, str],
        certificate: Certificate,
    ) -> Party:
        # 1. the certificate is in its term
        if not certificate.holds(self.at.now):
            sentence = "The client certificate is not in its term."
            raise invalid_client(sentence, sentence)
        # 2. whose it says it is
        claimed = parameters.get("client_id")
        if claimed is None:
            sentence = "Beside a client certificate client_id says whose it is."
            raise invalid_client(sentence, sentence)
        party = query_client(claimed) if CLIENT_ID.fullmatch(claimed) else None
        # 3. it is that client's, which is registered to authenticate so
        client = party.client if party else None
        if party is None or client is None or not _is_of(certificate, client):
            _compare_in_vain(certificate, client)
            raise invalid_client("unknown client, or another certificate")
        # 4. the client may act at all
        if not client.active:
            raise invalid_client("suspended", "This client is suspended; ask the operator.")
        return party


def _is_of(certificate: Certificate, client: Client) -> bool:
    return certificate.is_of(client.authentication, client.keys)


def _compare_in_vain(certificate: Certificate, client: Client | None) -> None:
    """Make each kind of comparison that the client's registration has not called for."""
    made = _kind(client.authentication) if client else None
    for each in STAND_INS:
        if _kind(each) != made:
            certificate.is_of(each, ())


def _kind(registered: Authentication) -> str:
    """What a certificate is compared with."""
    return next(
        (name for name in SUBJECTS if getattr(registered, name) is not None),
        registered.token_endpoint_auth_method,
    )
