"""Token requests, each with its own client assertion and DPoP proof.

The SDK's code makes both, with the same two keys for every server.
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx2

from tests.bench.http_requests import post_request
from tests.bench.options import HOST, SCOPE
from xinqiao._core.signatures.jose import SigningKey, client_assertion, dpop_proof

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What stands in every good answer, besides its 200.
TOLD: Final = (b'"access_token":"ey', b'"token_type":"DPoP"')


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClient:
    """A client at a token endpoint."""

    client_id: str
    key: SigningKey
    proof_key: SigningKey
    issuer: str
    path: str

    def request(self, nonce: str | None) -> tuple[dict[str, str], bytes]:
        """Headers and form of one request."""
        now = time.time()
        proof = dpop_proof(
            self.proof_key,
            method="POST",
            uri=self.issuer + self.path,
            now=now,
            jti=secrets.token_urlsafe(24),
            nonce=nonce,
            access_token=None,
        )
        assertion = client_assertion(
            self.key,
            client_id=self.client_id,
            audience=self.issuer,
            now=now,
            jti=secrets.token_urlsafe(24),
        )
        form = {
            "grant_type": "client_credentials",
            "scope": SCOPE,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "DPoP": proof}
        return headers, urlencode(form).encode()

    def nonce(self) -> str:
        """The server's current nonce, from its refusal of a request without one."""
        headers, body = self.request(None)
        with httpx2.Client(trust_env=False, timeout=10) as http:
            answer = http.post(self.issuer + self.path, content=body, headers=headers)
        assert answer.json()["error"] == "use_dpop_nonce", answer.text
        return answer.headers["dpop-nonce"]

    def requests(self, count: int) -> Iterator[tuple[dict[str, str], bytes]]:
        """So many requests with the current nonce."""
        nonce = self.nonce()
        return (self.request(nonce) for _ in range(count))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequests:
    """Builder of `count` token requests to the server at `port`."""

    client: Mapping[str, Any]
    jwk: Mapping[str, str]
    path: str
    port: int
    count: int

    def build(self) -> list[bytes]:
        """See `RequestSource`."""
        of = token_client(self.client, self.jwk, f"http://{HOST}:{self.port}", self.path)
        return [post_request(self.path, self.port, *each) for each in of.requests(self.count)]


def token_client(
    client: Mapping[str, Any], jwk: Mapping[str, str], issuer: str, path: str
) -> TokenClient:
    """A client of the kit that proves possession of `jwk`."""
    return TokenClient(
        client_id=client["client_id"],
        key=SigningKey.read(client["private_jwks"]),
        proof_key=SigningKey.of(jwk),
        issuer=issuer,
        path=path,
    )
