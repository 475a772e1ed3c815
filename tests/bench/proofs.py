"""Each request has its own signed proof, made before the clock starts, by the SDK's own code."""

import base64
import json
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.plan import HOST, WHO
from xinqiao import Client
from xinqiao._core.exchange import sha256_digest
from xinqiao._core.jose import SigningKey, dpop_proof

Headers = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What lets one client call for the next minute: a token and a nonce, and its proofs' key."""

    key: SigningKey
    issuer: str
    token: str
    nonce: str

    def headers(self, path: str) -> Headers:
        """The headers of one call, with a fresh proof."""
        proof = dpop_proof(
            self.key,
            method="POST",
            uri=f"{self.issuer}{path}",
            now=time.time(),
            jti=secrets.token_urlsafe(24),
            nonce=self.nonce,
            access_token=self.token,
        )
        return {
            "Content-Type": "application/json",
            "Authorization": f"DPoP {self.token}",
            "DPoP": proof,
        }


def passes(kit: Mapping[str, Any], jwk: Mapping[str, str]) -> Callable[[], Pass]:
    """A source of passes for the kit's platform; its token is fetched anew when it ends."""
    client = Client.from_kit(kit, WHO, scope="verify", dpop_key=jwk)
    key = SigningKey.of(jwk)

    def fresh() -> Pass:
        headers = client.headers_for("POST", "/v1/verifications", content=b"{}")
        claims = headers["dpop"].split(".")[1]
        nonce = json.loads(base64.urlsafe_b64decode(claims + "=="))["nonce"]
        token = headers["authorization"].removeprefix("DPoP ")
        return Pass(key=key, issuer=client.issuer, token=token, nonce=nonce)

    return fresh


def as_the_sdk(headers: Headers, body: bytes) -> Headers:
    """The headers with what the SDK adds to each call that spends a use."""
    own = {"Content-Digest": sha256_digest(body), "Idempotency-Key": secrets.token_urlsafe(24)}
    return headers | own


def written(
    pass_: Pass, path: str, port: int, bodies: Iterable[bytes], *, as_sdk: bool
) -> Iterator[bytes]:
    """Whole HTTP/1.1 requests as they go over the wire."""
    for body in bodies:
        headers = pass_.headers(path)
        if as_sdk:
            headers = as_the_sdk(headers, body)
        lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "", ""]
        yield "\r\n".join(lines).encode("latin-1") + body
