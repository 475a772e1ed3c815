"""A client is judged by the one method that it is registered for; another one proves nothing.

By certificate (RFC 8705 §2), or by assertion (`client_assertion`) wherever one is sent. Whether a
client is unknown, registered otherwise or has another certificate is told by nothing: the same
error, after the same one statement.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.clients.certificates import Certificate
from gateway.clients.registration import CLIENT_ID
from gateway.oauth.client_assertion import ClientAssertion
from gateway.oauth.errors import invalid_client
from gateway.oauth.issue import At
from gateway.oauth.library import OAuth2Request
from gateway.oauth.party import Party

# What Authlib calls it: every client authenticates, as it is registered to.
METHOD: Final = "registered"
OTHER_WAYS: Final = frozenset({"client_assertion", "client_assertion_type", "client_secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredAuthentication:
    """The client authentication that Authlib calls; one request's."""

    at: At

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
        if party is None or client is None:
            raise invalid_client("unknown client, or another certificate")
        if not certificate.is_of(client.authentication, client.keys):
            raise invalid_client("unknown client, or another certificate")
        # 4. the client may act at all
        if not client.active:
            raise invalid_client("suspended", "This client is suspended; ask the operator.")
        return party
